// The settings of one run: flags win over the environment, that over the settings file, that over
// the table's default.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "cli/config_file.h"
#include "cli/settings_table.h"
#include "engine/retention.h"

namespace oxbackup {

/// A value and where it comes from, in the words of whoever set it: "--memory", "MYSQL_PORT",
/// "backup.toml: mysql-port".
struct SettingValue {
  std::vector<std::string> texts;
  std::string origin;
};

/// Reads settings by id. All of it throws Error(kUsage) that names the origin and what is allowed.
/// Empty variables count as not set. One thread at a time.
class SettingValues {
 public:
  using Flags = std::map<std::string, std::vector<std::string>>;  // by setting id

  /// `file`: nothing without --config. Throws when the file has a key that is no setting, or one
  /// that may not stand in a file.
  SettingValues(CommandBit command, Flags flags, Environment environment,
                std::optional<ConfigFile> file);

  /// The text, else the table's default; nothing when there is neither. Checked against the choices
  /// of the placeholder.
  [[nodiscard]] std::optional<std::string> Text(std::string_view id) const;
  std::string TextOr(std::string_view id, std::string_view fallback) const;
  bool Switch(std::string_view id) const;
  bool Bool(std::string_view id) const;
  /// 1 to 2^31 - 1.
  [[nodiscard]] std::optional<int> Count(std::string_view id) const;
  [[nodiscard]] std::optional<uint64_t> Size(std::string_view id) const;
  /// As ParseCalendarSpan reads it.
  [[nodiscard]] std::optional<CalendarSpan> Span(std::string_view id) const;
  std::vector<std::string> List(std::string_view id) const;
  /// The secret itself, or the content of its file without the last line end; empty when not set.
  std::string Secret(std::string_view id) const;
  /// Whether this run's command has the setting; all other calls want those that it has.
  bool Knows(std::string_view id) const { return FindSetting(command_, id) != nullptr; }
  /// Whether it is a flag of this run.
  bool Given(std::string_view id) const { return flags_.contains(std::string(id)); }
  /// Where the value comes from; nothing when only the default holds.
  [[nodiscard]] std::optional<SettingValue> Find(std::string_view id) const;

  /// What was given as flags, a secret's being the file's name.
  const Flags& flags() const { return flags_; }

  /// Things to tell the operator that are no error: a settings file with passwords that everybody
  /// can read.
  std::vector<std::string> Remarks() const;

 private:
  const Setting& Definition(std::string_view id) const;
  [[nodiscard]] std::optional<std::string> Variable(const std::string& name) const;

  CommandBit command_;
  Flags flags_;
  Environment environment_;
  std::optional<ConfigFile> file_;
};

}  // namespace oxbackup
