#include "cli/site_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace oxbackup {
namespace {

constexpr int kMostPort = 65535;

int PortOf(const SettingValues& settings, std::string_view id) {
  const int port = settings.Count(id).value_or(0);
  if (port <= kMostPort) return port;
  const SettingValue value = settings.Find(id).value_or(SettingValue{});
  throw Error(ErrorKind::kUsage, fmt::format("{} is no port: {}", value.origin, port));
}

mysql::TlsMode TlsModeOf(const SettingValues& settings) {
  const std::string text = settings.TextOr("mysql-tls", "preferred");
  if (text == "disabled") return mysql::TlsMode::kDisabled;
  if (text == "required") return mysql::TlsMode::kRequired;
  if (text == "verify") return mysql::TlsMode::kVerify;
  return mysql::TlsMode::kPreferred;
}

mysql::ConnectOptions MysqlConnection(const SettingValues& settings) {
  mysql::ConnectOptions options;
  options.host = settings.TextOr("mysql-host", options.host);
  options.port = PortOf(settings, "mysql-port");
  options.socket = settings.TextOr("mysql-socket", "");
  options.user = settings.TextOr("mysql-user", options.user);
  options.password = settings.Secret("mysql-password");
  options.tls = TlsModeOf(settings);
  options.tls_ca = settings.TextOr("mysql-ca-file", "");
  return options;
}

std::optional<MysqlSite> MysqlOf(const SettingValues& settings, CommandBit command) {
  const bool host = settings.Find("mysql-host").has_value();
  const bool socket = settings.Find("mysql-socket").has_value();
  if (!host && !socket) return std::nullopt;
  MysqlSite site;
  site.connect = MysqlConnection(settings);
  if (command == kBackup) {
    site.dump.snapshot.readers = settings.Count("mysql-readers").value_or(4);
    site.dump.databases = settings.List("mysql-databases");
    site.dump.flush_logs = settings.Bool("mysql-flush-logs");
    site.dump.snapshot.single_transaction = settings.Bool("mysql-single-transaction");
  }
  if (command == kRestore) {
    site.restore.flush_logs = settings.Bool("mysql-flush-logs");
    site.restore.binlog = settings.Bool("mysql-binlog");
  }
  return site;
}

mongodb::ConnectOptions MongodbConnection(const SettingValues& settings) {
  mongodb::ConnectOptions options;
  options.host = settings.TextOr("mongodb-host", options.host);
  options.port = PortOf(settings, "mongodb-port");
  options.user = settings.TextOr("mongodb-user", "");
  options.password = settings.Secret("mongodb-password");
  options.auth_database = settings.TextOr("mongodb-authentication-database", "admin");
  options.auth_mechanism = settings.TextOr("mongodb-authentication-mechanism", "");
  options.replica_set = settings.TextOr("mongodb-replica-set", "");
  options.tls = settings.Bool("mongodb-tls");
  options.ca_file = settings.TextOr("mongodb-ca-file", "");
  return options;
}

std::optional<MongodbSite> MongodbOf(const SettingValues& settings, CommandBit command) {
  if (!settings.Find("mongodb-host")) return std::nullopt;
  MongodbSite site;
  site.connect = MongodbConnection(settings);
  if (command == kBackup) {
    site.dump.databases = settings.List("mongodb-databases");
    site.dump.readers = settings.Count("mongodb-readers").value_or(site.dump.readers);
    site.dump.write_lock = settings.Bool("mongodb-write-lock");
  }
  if (command == kRestore) {
    site.restore = mongodb::ParseMongorestoreOptions(settings.TextOr("mongorestore-options", ""));
  }
  return site;
}

/// Caddy's folder: the one that was named, which has to be there for a backup, or the default one
/// where there is such a folder.
std::optional<std::filesystem::path> CaddyOf(const SettingValues& settings) {
  const std::filesystem::path path = settings.TextOr("caddy", "/caddy");
  std::error_code ignored;
  if (!settings.Find("caddy") && !std::filesystem::is_directory(path, ignored)) return std::nullopt;
  return path;
}

files::Tree MediaTree(const std::string& text, const std::string& origin) {
  const size_t equals = text.find('=');
  files::Tree tree;
  tree.path = equals == std::string::npos ? text : text.substr(equals + 1);
  // "/media/openedx-media/" has an empty last part.
  if (!tree.path.has_filename()) tree.path = tree.path.parent_path();
  tree.name = equals == std::string::npos ? tree.path.filename().string() : text.substr(0, equals);
  if (tree.path.empty() || tree.name.empty() || tree.name == "." || tree.name == ".." ||
      tree.name.find('/') != std::string::npos) {
    throw Error(ErrorKind::kUsage, fmt::format("{} is no media folder: '{}'", origin, text))
        .Hint("--media /openedx/data/openedx-media, or --media NAME=DIR");
  }
  std::error_code ignored;
  if (std::filesystem::is_regular_file(tree.path, ignored)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} has to be a folder: {} is a file", origin, tree.path.string()))
        .Hint("name the folder that holds it");
  }
  return tree;
}

std::vector<files::Tree> MediaOf(const SettingValues& settings) {
  std::vector<files::Tree> trees;
  const std::optional<SettingValue> value = settings.Find("media");
  if (!value) return trees;
  for (const std::string& text : settings.List("media")) {
    files::Tree tree = MediaTree(text, value->origin);
    for (const files::Tree& other : trees) {
      if (other.name != tree.name) continue;
      throw Error(ErrorKind::kUsage,
                  fmt::format("{} names two folders '{}'", value->origin, tree.name))
          .Hint("give one of them another name: --media NAME=DIR");
    }
    trees.push_back(std::move(tree));
  }
  return trees;
}

std::optional<std::filesystem::path> TutorConfigOf(const SettingValues& settings) {
  const std::optional<std::string> path = settings.Text("tutor-config");
  std::error_code ignored;
  if (path && std::filesystem::is_directory(*path, ignored)) {
    throw Error(ErrorKind::kUsage, fmt::format("{} has to be Tutor's config.yml: {} is a folder",
                                               settings.Find("tutor-config")->origin, *path))
        .Hint("--tutor-config \"$(tutor config printroot)/config.yml\"");
  }
  return path;
}

/// The flag without which a component is no part of the site.
std::string FlagOf(const std::string& component) {
  if (component == "config") return "--tutor-config";
  const bool server = component == "mysql" || component == "mongodb";
  return "--" + component + (server ? "-host" : "");
}

}  // namespace

Site SiteOf(const SettingValues& settings, CommandBit command, int threads) {
  Site site;
  site.mysql = MysqlOf(settings, command);
  site.mongodb = MongodbOf(settings, command);
  site.caddy = CaddyOf(settings);
  site.media = MediaOf(settings);
  site.tutor_config = TutorConfigOf(settings);
  // A third connection keeps two processors busy while the server commits for the others.
  if (site.mysql) site.mysql->restore.workers = std::max(threads, 3);
  return site;
}

ComponentSelection SelectionOf(const SettingValues& settings) {
  ComponentSelection selection;
  for (std::string& name : settings.List("only")) selection.only.insert(std::move(name));
  for (std::string& name : settings.List("exclude")) selection.exclude.insert(std::move(name));
  CheckSelection(selection);
  for (const std::string& name : selection.only) {
    if (!selection.exclude.contains(name)) continue;
    throw Error(ErrorKind::kUsage, fmt::format("--only and --exclude both name {}", name))
        .Hint("leave it out of one of them");
  }
  return selection;
}

std::vector<std::string> LeftOut(const Site& site, const ComponentSelection& selection) {
  std::vector<std::string> names;
  for (const std::string& name : ComponentNames()) {
    if (!selection.Includes(name) || !site.Has(name)) names.push_back(name);
  }
  return names;
}

std::string WhyLeftOut(const std::vector<std::string>& components,
                       const ComponentSelection& selection) {
  std::vector<std::string> parts;
  std::vector<std::string> not_selected;
  for (const std::string& name : components) {
    if (!selection.Includes(name)) {
      not_selected.push_back(name);
    } else {
      parts.push_back(fmt::format("{} ({} is not set)", name, FlagOf(name)));
    }
  }
  if (!not_selected.empty()) {
    parts.push_back(fmt::format("{} (not selected)", fmt::join(not_selected, ", ")));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace oxbackup
