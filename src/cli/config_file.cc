#include "cli/config_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/small_file.h"

namespace oxbackup {
namespace {

using Values = std::map<std::string, std::vector<std::string>>;

std::string ScalarText(const toml::node& node, const std::string& key, const std::string& path) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  throw Error(ErrorKind::kUsage, fmt::format("{}:{}: {} has to be a text, a number, a boolean or a "
                                             "list of texts",
                                             path, node.source().begin.line, key));
}

void Collect(const toml::table& table, const std::string& prefix, const std::string& path,
             Values& values) {
  for (const auto& [name, node] : table) {
    std::string key = prefix + std::string(name.str());
    std::replace(key.begin(), key.end(), '_', '-');
    if (const auto* inner = node.as_table()) {
      Collect(*inner, key + "-", path, values);
      continue;
    }
    std::vector<std::string>& texts = values[key];
    if (const auto* list = node.as_array()) {
      for (const toml::node& item : *list) texts.push_back(ScalarText(item, key, path));
    } else {
      texts.push_back(ScalarText(node, key, path));
    }
  }
}

}  // namespace

ConfigFile ReadConfigFile(const std::string& path) {
  auto [text, error] = ReadSmallFile(path);
  struct stat status {};
  if (error == 0 && ::stat(path.c_str(), &status) != 0) error = errno;
  if (error != 0) {
    throw SystemError(ErrorKind::kUsage, fmt::format("the settings file {} cannot be read", path),
                      error)
        .Hint(HintForFile(error));
  }
  ConfigFile file{.path = path, .values = {}, .others_can_read = (status.st_mode & S_IROTH) != 0};
  try {
    Collect(toml::parse(text, path), "", path, file.values);
  } catch (const toml::parse_error& error) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}:{}: {}", path, error.source().begin.line, error.description()))
        .Hint("in TOML texts need quotes (host = \"mysql\") and a key stands once");
  }
  return file;
}

}  // namespace oxbackup
