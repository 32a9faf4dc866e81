#include "store/s3/credentials/profile.h"

#include <fmt/format.h>

#include <cerrno>

#include "base/error.h"
#include "base/small_file.h"
#include "base/text.h"
#include "store/s3/credentials/answers.h"
#include "store/s3/credentials/providers.h"

namespace oxbackup::s3 {
namespace {

constexpr std::string_view kBlanks = " \t\r";

// A comment behind a value begins with a blank: keys may have '#' and ';' in them.
std::string_view WithoutComment(std::string_view value) {
  for (size_t i = 1; i < value.size(); ++i) {
    const bool is_mark = value[i] == '#' || value[i] == ';';
    if (is_mark && kBlanks.find(value[i - 1]) != std::string_view::npos) return value.substr(0, i);
  }
  return value;
}

// "[profile  name]", "[ name ]", "[profile \"a name\"]" as "profile name", "name", "profile a
// name".
std::string SectionName(std::string_view line) {
  std::string name;
  for (const std::string& word : SplitNonEmpty(line.substr(0, line.find(']')), "[ \t\"'")) {
    name += (name.empty() ? "" : " ") + word;
  }
  return name;
}

struct File {
  std::string path;
  bool is_named = false;  // by a variable
};

File FileOf(const Environment& environment, const std::string& variable, const std::string& name) {
  const std::string named = Variable(environment, variable);
  if (!named.empty()) return {.path = named, .is_named = true};
  const std::string home = Variable(environment, "HOME");
  return {.path = home.empty() ? "" : home + "/.aws/" + name};
}

std::map<std::string, std::map<std::string, std::string>> ReadFile(const File& file) {
  if (file.path.empty()) return {};
  const FileText content = ReadSmallFile(file.path);
  if (content.error == 0) return ParseProfiles(content.text);
  const bool is_absent = content.error == ENOENT || content.error == ENOTDIR;
  if (is_absent || (content.error == EACCES && !file.is_named)) return {};
  throw SystemError(ErrorKind::kUsage,
                    fmt::format("the file of AWS's profiles {} cannot be read", file.path),
                    content.error)
      .Hint(
          "make it readable for this user, or unset AWS_SHARED_CREDENTIALS_FILE and "
          "AWS_CONFIG_FILE");
}

}  // namespace

std::string Profile::Value(const std::string& name) const {
  const auto at = values.find(name);
  return at == values.end() ? std::string() : at->second;
}

std::map<std::string, std::map<std::string, std::string>> ParseProfiles(std::string_view text) {
  std::map<std::string, std::map<std::string, std::string>> sections;
  std::map<std::string, std::string>* section = nullptr;
  size_t indent_of_last = std::string_view::npos;  // of the section's values
  for (const std::string& line : SplitNonEmpty(text, "\n")) {
    const std::string_view trimmed = Trim(line);
    if (trimmed.empty() || trimmed.front() == '#' || trimmed.front() == ';') continue;
    if (trimmed.front() == '[') {
      section = &sections[SectionName(trimmed)];
      indent_of_last = std::string_view::npos;
      continue;
    }
    // A line that is further in than the value before it belongs to that one.
    const size_t indent = line.find_first_not_of(kBlanks);
    const size_t equals = trimmed.find('=');
    if (indent > indent_of_last || section == nullptr || equals == std::string_view::npos) continue;
    indent_of_last = indent;
    (*section)[LowerCase(Trim(trimmed.substr(0, equals)))] =
        Trim(WithoutComment(trimmed.substr(equals + 1)));
  }
  return sections;
}

Profile ReadProfile(const CredentialSettings& settings, const Environment& environment) {
  Profile profile{.name = settings.profile};
  if (profile.name.empty()) profile.name = Variable(environment, "AWS_PROFILE");
  profile.is_asked_for = !profile.name.empty();
  if (!profile.is_asked_for) profile.name = "default";

  const File config = FileOf(environment, "AWS_CONFIG_FILE", "config");
  const File credentials = FileOf(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  for (const File& file : {credentials, config}) {
    if (file.path.empty()) continue;
    profile.files += (profile.files.empty() ? "" : " and ") + file.path;
  }
  if (profile.files.empty()) profile.files = "~/.aws, since HOME is not set";
  const auto merge = [&](const auto& sections, const std::string& section) {
    const auto at = sections.find(section);
    if (at == sections.end()) return;
    profile.is_there = true;
    for (const auto& [name, value] : at->second) {
      if (!value.empty()) profile.values[name] = value;
    }
  };
  const auto configured = ReadFile(config);
  if (profile.name == "default") merge(configured, "default");
  merge(configured, "profile " + profile.name);
  merge(ReadFile(credentials), profile.name);
  return profile;
}

std::string FindRegion(const CredentialSettings& settings, const Environment& environment) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    std::string region = Variable(environment, name);
    if (!region.empty()) return region;
  }
  return ReadProfile(settings, environment).Value("region");
}

}  // namespace oxbackup::s3
