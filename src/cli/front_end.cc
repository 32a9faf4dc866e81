#include "cli/front_end.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace oxbackup {
namespace {

constexpr std::string_view kProgram = "openedx-backup ";
constexpr std::string_view kFrom = " --from ";

struct Verb {
  std::string_view name;
  std::string_view group;  // below which the front end has it
};
constexpr std::array<Verb, 7> kVerbs = {{{"backup", ""},
                                         {"restore", ""},
                                         {"list", " backups"},
                                         {"inspect", " backups"},
                                         {"verify", " backups"},
                                         {"extract", " backups"},
                                         {"prune", " backups"}}};

bool IsOfAName(char c) { return c == '_' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// "S3_REGION_NAME" becomes "BACKUP_S3_REGION_NAME": so the front end calls its settings.
std::string WithSettingsOfFrontEnd(std::string text) {
  constexpr std::string_view kPrefix = "S3_";
  constexpr std::string_view kEndpoint = "S3_ENDPOINT_URL";
  constexpr std::string_view kHost = "BACKUP_S3_HOST";
  size_t at = 0;
  while ((at = text.find(kPrefix, at)) != std::string::npos) {
    const size_t next = at + kPrefix.size();
    const bool is_name =
        (at == 0 || !IsOfAName(text[at - 1])) && next < text.size() && IsOfAName(text[next]);
    if (is_name && text.compare(at, kEndpoint.size(), kEndpoint) == 0) {
      text.replace(at, kEndpoint.size(), kHost);
    } else if (is_name) {
      text.insert(at, "BACKUP_");
    }
    at = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", at);
  }
  return text;
}

// How long the first word of a command is, with the quotes that ForShell puts around it.
size_t ShellWordSize(std::string_view text) {
  bool quoted = false;
  size_t at = 0;
  for (; at < text.size() && (quoted || (text[at] != ' ' && text[at] != '\n')); ++at) {
    if (text[at] == '\'') quoted = !quoted;
    if (text[at] == '\\' && !quoted) ++at;
  }
  return std::min(at, text.size());
}

}  // namespace

std::string FrontEnd() {
  const char* const value = std::getenv("OPENEDX_BACKUP_FRONT_END");
  return value == nullptr ? "" : value;
}

std::string InFrontEndsWords(std::string_view text, std::string_view front_end) {
  if (front_end.empty()) return std::string(text);
  std::string out;
  while (true) {
    const size_t at = text.find(kProgram);
    if (at == std::string_view::npos) return WithSettingsOfFrontEnd(out + std::string(text));
    out += text.substr(0, at);
    text.remove_prefix(at + kProgram.size());
    const Verb* found = nullptr;
    for (const Verb& verb : kVerbs) {
      if (text.starts_with(verb.name)) found = &verb;
    }
    if (found == nullptr) {
      out += kProgram;
      continue;
    }
    out += front_end;
    out += found->group;
    out += ' ';
    out += found->name;
    text.remove_prefix(found->name.size());
    if (text.starts_with(kFrom)) {
      text.remove_prefix(kFrom.size());
      // A folder is the container's; the bucket is the one of the front end's settings, and in a
      // cluster the only place.
      if (!front_end.ends_with(" k8s") && (text.starts_with("s3://") || text.starts_with("'s3://")))
        out += found->group.empty() ? " --download" : " --remote";
      text.remove_prefix(ShellWordSize(text));
    }
  }
}

}  // namespace oxbackup
