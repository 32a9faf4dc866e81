#include "cli/flag_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"

namespace oxbackup {
namespace {

class Checker {
 public:
  Checker(const SettingValues& settings, CommandBit command)
      : settings_(settings), command_(command) {}

  bool Given(std::string_view id) const {
    return FindSetting(command_, id) != nullptr && settings_.Given(id);
  }

  /// Refuses each of `ids` that was given.
  void Refuse(std::initializer_list<std::string_view> ids, std::string_view why,
              std::string_view hint) const {
    for (const std::string_view id : ids) {
      if (Given(id)) RefuseOne(*FindSetting(command_, id), why, hint);
    }
  }

  /// Refuses each given flag of a group of the table but `needed`.
  void RefuseGroup(std::string_view group, std::initializer_list<std::string_view> needed,
                   std::string_view why, std::string_view hint) const {
    for (const Setting& setting : Settings()) {
      const bool other = setting.group == group && (setting.commands & command_) != 0 &&
                         std::ranges::find(needed, setting.id) == needed.end();
      if (other && settings_.Given(setting.id)) RefuseOne(setting, why, hint);
    }
  }

 private:
  [[noreturn]] static void RefuseOne(const Setting& setting, std::string_view why,
                                     std::string_view hint) {
    throw Error(ErrorKind::kUsage, fmt::format("--{} does nothing {}", setting.flag, why))
        .Hint(std::string(hint));
  }

  const SettingValues& settings_;
  const CommandBit command_;
};

void CheckServers(const SettingValues& settings, const Checker& checker) {
  const bool socket = settings.Find("mysql-socket").has_value();
  if (socket) {
    checker.Refuse({"mysql-host", "mysql-port"}, "beside a socket (--mysql-socket, MYSQL_SOCKET)",
                   "leave one of them out: a socket is on this machine");
  } else if (!settings.Find("mysql-host")) {
    checker.RefuseGroup("MySQL", {"mysql-host", "mysql-socket"},
                        "without a server: MySQL is left out", "add --mysql-host HOST");
  }
  if (settings.TextOr("mysql-tls", "") == "disabled") {
    checker.Refuse({"mysql-ca-file"}, "with --mysql-tls disabled",
                   "for example --mysql-tls verify --mysql-ca-file ca.pem");
  }
  if (!settings.Find("mongodb-host")) {
    checker.RefuseGroup("MongoDB", {"mongodb-host"}, "without a server: MongoDB is left out",
                        "add --mongodb-host HOST");
  } else if (!settings.Find("mongodb-user")) {
    checker.Refuse(
        {"mongodb-password", "mongodb-authentication-database", "mongodb-authentication-mechanism"},
        "without an account", "add --mongodb-user USER");
  }
}

void CheckVerify(const SettingValues& settings, const Checker& checker) {
  const bool live = settings.Switch("against-live");
  if (live) {
    checker.Refuse({"quick", "threads"}, "with --against-live, which reads the running site",
                   "leave one of them out");
    return;
  }
  checker.Refuse({"only", "exclude"},
                 "without --against-live: an archive is verified as a whole, since one index and "
                 "one manifest stand for all of it",
                 "leave it out, or add --against-live");
  for (const std::string_view group : {"MySQL", "MongoDB", "Files"}) {
    checker.RefuseGroup(group, {}, "without --against-live: the site takes no part",
                        "leave it out, or add --against-live");
  }
  if (settings.Switch("quick")) {
    checker.Refuse({"threads"}, "with --quick, which reads no data", "leave one of them out");
  }
}

void CheckInspect(const SettingValues& settings, const Checker& checker) {
  const std::optional<SettingValue> pair = settings.Find("diff");
  if (!pair) return;
  const std::string_view hint = "openedx-backup inspect --from /backup --diff OLDER NEWER";
  checker.Refuse({"tables", "name", "date", "version"}, "with --diff, which names both archives",
                 hint);
  const auto is_path = [](const std::string& name) { return name.find('/') != name.npos; };
  if (std::ranges::all_of(pair->texts, is_path)) {
    checker.Refuse({"location"}, "with --diff, where both archives are given by their paths", hint);
  }
}

void CheckKeptData(const SettingValues& settings, const Checker& checker) {
  if (settings.Switch("undo")) {
    checker.Refuse({"location", "name", "date", "version", "dry-run", "keep-old", "in-place",
                    "skip-applied", "max-age", "drop-old", "mongorestore-options"},
                   "with --undo, which brings back what the last restore replaced",
                   "openedx-backup restore --undo, with the flags that say which site");
  } else if (settings.Switch("drop-old")) {
    checker.Refuse({"location", "name", "date", "version", "only", "exclude", "dry-run", "keep-old",
                    "in-place", "skip-applied", "max-age", "mongorestore-options"},
                   "with --drop-old, which removes what restores with --keep-old left",
                   "openedx-backup restore --drop-old, with the flags that say which site");
  } else if (settings.Switch("in-place")) {
    checker.Refuse({"keep-old"}, "with --in-place, which removes the live data for good",
                   "leave one of them out: --keep-old needs room for two copies");
  }
}

void CheckProgress(const SettingValues& settings, const Checker& checker) {
  const std::string progress = settings.TextOr("progress", "auto");
  if (progress == "bar" || progress == "none") {
    checker.Refuse({"progress-interval"}, "with --progress " + progress,
                   "it is the time between lines or JSON objects: --progress lines or json");
  }
  if (progress == "bar" && settings.TextOr("log-format", "text") == "json") {
    throw Error(ErrorKind::kUsage, "--progress bar and a log in JSON exclude each other")
        .Hint("leave --progress out, or set --log-format text");
  }
}

void CheckMonitoring(const SettingValues& settings, const Checker& checker) {
  for (const std::string_view id : {"quick", "against-live", "undo", "drop-old", "list-versions"}) {
    if (!checker.Given(id)) continue;
    checker.Refuse({"metrics-file", "metrics-pushgateway-url"}, fmt::format("with --{}", id),
                   "the metrics are about whole archives and the restores of them: leave it out");
  }
  const bool used = settings.Find("metrics-file") ||
                    !settings.Secret("metrics-pushgateway-url").empty() ||
                    (settings.Knows("webhook-url") && !settings.Secret("webhook-url").empty());
  if (used) return;
  checker.Refuse({"metrics-labels"}, "without metrics",
                 "add --metrics-file FILE.prom or --metrics-pushgateway-url-file FILE");
}

}  // namespace

void RefuseIdleFlags(const SettingValues& settings, CommandBit command) {
  const Checker checker(settings, command);
  if (FindSetting(command, "progress") != nullptr) CheckProgress(settings, checker);
  if (command == kInspect) CheckInspect(settings, checker);
  if (command == kVerify) CheckVerify(settings, checker);
  if (command == kRestore) CheckKeptData(settings, checker);
  if (FindSetting(command, "metrics-file") != nullptr) CheckMonitoring(settings, checker);
  if (FindSetting(command, "mysql-host") != nullptr) CheckServers(settings, checker);
}

}  // namespace oxbackup
