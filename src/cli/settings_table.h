// Every setting and every command, in one table: the parser, the environment, the settings file,
// --help, the manual page and the completions are all made from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace oxbackup {

/// Bits of the commands, so that a setting can belong to several.
enum CommandBit : uint32_t {
  kBackup = 1u << 0,
  kRestore = 1u << 1,
  kList = 1u << 2,
  kInspect = 1u << 3,
  kVerify = 1u << 4,
  kExtract = 1u << 5,
  kVersionCommand = 1u << 6,
  kPrune = 1u << 7,
};

struct Command {
  CommandBit bit;
  std::string_view name;
  std::string_view summary;      ///< one line
  std::string_view description;  ///< for its help and the manual, a paragraph
  std::string_view example;
};

enum class SettingKind {
  kText,
  kPath,         ///< a text; completions offer files
  kSwitch,       ///< a flag without a value
  kBool,         ///< as ParseBool reads it
  kCount,        ///< a whole number from 1 on
  kCountOrNone,  ///< the same behind a '=' that may be left out: then the fallback is meant
  kSize,         ///< as ParseByteSize reads it
  kList,         ///< a flag that can be repeated; in variables as ParseList reads it
  kPair,         ///< a flag with two values
  kSecret,       ///< never a flag: the flag, and VARIABLE_FILE, name a file that holds it
};

struct Setting {
  std::string_view id;        ///< its key in the settings file too
  std::string_view flag;      ///< without the dashes
  std::string_view variable;  ///< of the environment; empty: none
  SettingKind kind;
  std::string_view placeholder;  ///< of its value, "HOST"; choices are separated by '|'
  std::string_view fallback;     ///< what holds when it is set nowhere; empty: nothing
  std::string_view help;
  std::string_view group;
  uint32_t commands;  ///< CommandBits
  bool in_file;       ///< may stand in the settings file
};

/// " HOST", as it stands behind the flag; "[=N]" where the value can be left out.
std::string PlaceholderBehindFlag(const Setting& setting);

std::span<const Command> Commands();
std::span<const Setting> Settings();

/// The setting of that id that `command` has; nullptr when it has none.
const Setting* FindSetting(CommandBit command, std::string_view id);
/// nullptr when there is no such command.
const Command* FindCommand(std::string_view name);

}  // namespace oxbackup
