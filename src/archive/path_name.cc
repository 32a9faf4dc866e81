#include "archive/path_name.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"

namespace oxbackup {
namespace {

bool IsPlain(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || c >= 0x80;
}

}  // namespace

std::string EscapeName(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsPlain(byte)) {
      escaped.push_back(c);
    } else {
      escaped += fmt::format("%{:02X}", byte);
    }
  }
  return escaped;
}

std::string UnescapeName(std::string_view escaped) {
  std::string name;
  for (size_t at = 0; at < escaped.size(); ++at) {
    if (escaped[at] != '%') {
      name.push_back(escaped[at]);
      continue;
    }
    unsigned int byte = 0;
    const char* const digits = escaped.data() + at + 1;
    if (at + 2 >= escaped.size() ||
        std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("'{}' is no name of ours: a '%' without two digits", escaped));
    }
    name.push_back(static_cast<char>(byte));
    at += 2;
  }
  return name;
}

}  // namespace oxbackup
