#include "cli/setting_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/small_file.h"
#include "base/text.h"
#include "cli/list_text.h"

namespace oxbackup {
namespace {

constexpr std::string_view kFileSuffix = "-file";

Error BadValue(const SettingValue& value, std::string_view text, std::string_view wanted,
               std::string_view example) {
  const std::string_view separator = value.origin.rfind("--", 0) == 0 ? " " : "=";
  return Error(ErrorKind::kUsage,
               fmt::format("{} has to be {}, not '{}'", value.origin, wanted, text))
      .Hint(fmt::format("for example {}{}{}", value.origin, separator, example));
}

/// The only text of a setting that takes one.
const std::string& Single(const SettingValue& value) {
  if (value.texts.size() == 1) return value.texts.front();
  throw Error(ErrorKind::kUsage,
              fmt::format("{} takes one value and has {}", value.origin, value.texts.size()));
}

std::string ReadSecretFile(const std::string& path, const std::string& origin) {
  auto [secret, error] = ReadSmallFile(path);
  if (error != 0) {
    throw SystemError(ErrorKind::kUsage,
                      fmt::format("the file that {} names, {}, cannot be read", origin, path),
                      error)
        .Hint(HintForFile(error));
  }
  if (!secret.empty() && secret.back() == '\n') secret.pop_back();
  if (!secret.empty() && secret.back() == '\r') secret.pop_back();
  return secret;
}

/// The part before the arguments of choices like "xz[:0-9]|none" is no list of plain words.
bool HasPlainChoices(const Setting& setting) {
  return setting.kind == SettingKind::kText &&
         setting.placeholder.find('|') != std::string_view::npos &&
         setting.placeholder.find('[') == std::string_view::npos;
}

bool IsKnownKey(const std::string& key) {
  return std::ranges::any_of(Settings(), [&](const Setting& setting) {
    const std::string id(setting.id);
    // A list is called by the many that it holds, its flag by the one that it adds.
    return setting.in_file &&
           (key == id || key == setting.flag ||
            (setting.kind == SettingKind::kSecret && key == id + std::string(kFileSuffix)));
  });
}

}  // namespace

SettingValues::SettingValues(CommandBit command, Flags flags, Environment environment,
                             std::optional<ConfigFile> file)
    : command_(command),
      flags_(std::move(flags)),
      environment_(std::move(environment)),
      file_(std::move(file)) {
  if (!file_) return;
  for (const auto& [key, texts] : file_->values) {
    if (IsKnownKey(key)) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: there is no setting '{}' for the file", file_->path, key))
        .Hint(
            "openedx-backup backup --help lists the settings; flags that belong to one run, such "
            "as --date, cannot stand in the file");
  }
}

std::optional<SettingValue> SettingValues::Find(std::string_view id) const {
  const Setting& setting = Definition(id);
  const std::string key(id);
  if (const auto flag = flags_.find(key); flag != flags_.end()) {
    return SettingValue{flag->second, fmt::format("--{}", setting.flag)};
  }
  if (!setting.variable.empty()) {
    const std::string name(setting.variable);
    if (std::optional<std::string> value = Variable(name)) {
      return SettingValue{{std::move(*value)}, name};
    }
  }
  if (file_ && setting.in_file) {
    for (const std::string& name : {key, std::string(setting.flag)}) {
      const auto entry = file_->values.find(name);
      if (entry == file_->values.end()) continue;
      return SettingValue{entry->second, fmt::format("{}: {}", file_->path, name)};
    }
  }
  return std::nullopt;
}

std::optional<std::string> SettingValues::Text(std::string_view id) const {
  const Setting& setting = Definition(id);
  const std::optional<SettingValue> value = Find(id);
  if (!value) {
    if (setting.fallback.empty()) return std::nullopt;
    return std::string(setting.fallback);
  }
  const std::string& text = Single(*value);
  if (text.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("{} is empty", value->origin));
  }
  if (HasPlainChoices(setting)) {
    const std::vector<std::string> choices = SplitNonEmpty(setting.placeholder, "|");
    // Python's names of levels were upper case: LOG_LEVEL's reader takes those as well.
    if (id != "log-level" && std::ranges::find(choices, text) == choices.end()) {
      throw BadValue(*value, text, fmt::format("one of {}", fmt::join(choices, ", ")),
                     choices.front());
    }
  }
  return text;
}

std::string SettingValues::TextOr(std::string_view id, std::string_view fallback) const {
  return Text(id).value_or(std::string(fallback));
}

bool SettingValues::Switch(std::string_view id) const { return Find(id).has_value(); }

bool SettingValues::Bool(std::string_view id) const {
  const std::optional<SettingValue> value = Find(id);
  if (!value) return ParseBool(Definition(id).fallback).value_or(false);
  const std::string& text = Single(*value);
  const std::optional<bool> parsed = ParseBool(text);
  if (!parsed) throw BadValue(*value, text, "true or false", "true");
  return *parsed;
}

std::optional<int> SettingValues::Count(std::string_view id) const {
  const std::optional<SettingValue> value = Find(id);
  const std::optional<std::string> text = Text(id);
  if (!text) return std::nullopt;
  int count = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error != std::errc() || end != text->data() + text->size() || count < 1) {
    const std::string_view fallback = Definition(id).fallback;
    throw BadValue(value.value_or(SettingValue{}), *text, "a whole number from 1 on",
                   fallback.empty() ? "2" : fallback);
  }
  return count;
}

std::optional<uint64_t> SettingValues::Size(std::string_view id) const {
  const std::optional<SettingValue> value = Find(id);
  const std::optional<std::string> text = Text(id);
  if (!text) return std::nullopt;
  const std::optional<uint64_t> size = ParseByteSize(*text);
  if (!size) throw BadValue(value.value_or(SettingValue{}), *text, "a size", "256MiB");
  return size;
}

std::optional<CalendarSpan> SettingValues::Span(std::string_view id) const {
  const std::optional<std::string> text = Text(id);
  if (!text) return std::nullopt;
  if (const std::optional<CalendarSpan> span = ParseCalendarSpan(*text)) return span;
  const SettingValue value = Find(id).value_or(SettingValue{});
  throw Error(ErrorKind::kUsage,
              fmt::format("{} has to be a time span, not '{}'", value.origin, *text))
      .Hint("hours, days, weeks, months or years: 12h, 30d, 8w, 6m, 1y, 1y6m");
}

std::vector<std::string> SettingValues::List(std::string_view id) const {
  const std::optional<SettingValue> value = Find(id);
  if (!value) return {};
  if (value->origin == Definition(id).variable) return ParseList(Single(*value), value->origin);
  // A path may hold a comma; a component's or a database's name given by a flag separates by it.
  if (id == "media") return value->texts;
  std::vector<std::string> items;
  for (const std::string& text : value->texts) {
    std::ranges::move(SplitNonEmpty(text, ","), std::back_inserter(items));
  }
  return items;
}

std::string SettingValues::Secret(std::string_view id) const {
  const Setting& setting = Definition(id);
  const std::string key(id);
  if (const auto flag = flags_.find(key); flag != flags_.end()) {
    const SettingValue value{flag->second, fmt::format("--{}", setting.flag)};
    return ReadSecretFile(Single(value), value.origin);
  }
  const std::string variable(setting.variable);
  const std::optional<std::string> direct = Variable(variable);
  const std::optional<std::string> path = Variable(variable + "_FILE");
  if (direct && path) {
    throw Error(ErrorKind::kUsage, fmt::format("{0} and {0}_FILE are both set", variable))
        .Hint("set one of them");
  }
  if (direct) return *direct;
  if (path) return ReadSecretFile(*path, variable + "_FILE");
  if (!file_) return {};
  const auto inside = file_->values.find(key);
  const auto outside = file_->values.find(key + std::string(kFileSuffix));
  if (inside != file_->values.end() && outside != file_->values.end()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{0}: {1} and {1}-file are both set", file_->path, key))
        .Hint("set one of them");
  }
  if (inside != file_->values.end()) {
    return Single({inside->second, fmt::format("{}: {}", file_->path, key)});
  }
  if (outside == file_->values.end()) return {};
  const SettingValue value{outside->second, fmt::format("{}: {}-file", file_->path, key)};
  return ReadSecretFile(Single(value), value.origin);
}

std::vector<std::string> SettingValues::Remarks() const {
  if (!file_ || !file_->others_can_read) return {};
  for (const Setting& setting : Settings()) {
    if (setting.kind == SettingKind::kSecret && file_->values.contains(std::string(setting.id))) {
      return {
          fmt::format("{0} holds a password and every user of this machine can read it: "
                      "chmod 600 {0}",
                      file_->path)};
    }
  }
  return {};
}

const Setting& SettingValues::Definition(std::string_view id) const {
  const Setting* setting = FindSetting(command_, id);
  if (setting == nullptr) {
    throw Error(ErrorKind::kInternal, fmt::format("the command has no setting '{}'", id));
  }
  return *setting;
}

std::optional<std::string> SettingValues::Variable(const std::string& name) const {
  std::optional<std::string> value = environment_(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

}  // namespace oxbackup
