#include "mysql/shadow_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"

namespace oxbackup::mysql {
namespace {

constexpr std::string_view kShadowSuffix = "__restore";
constexpr std::string_view kOldSuffix = "__old";
constexpr size_t kMaxNameCharacters = 64;  // of a schema, on every server

bool StartsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::string WithSuffix(std::string_view database, std::string_view suffix) {
  const auto characters =
      static_cast<size_t>(std::count_if(database.begin(), database.end(), StartsCharacter));
  if (characters + suffix.size() <= kMaxNameCharacters) {
    return std::string(database) + std::string(suffix);
  }
  const std::string hash = fmt::format("_{:016x}", Xxh3_64(database));
  size_t left = kMaxNameCharacters - suffix.size() - hash.size();
  size_t end = 0;
  for (; end < database.size(); ++end) {
    if (StartsCharacter(database[end]) && left-- == 0) break;
  }
  return std::string(database.substr(0, end)) + hash + std::string(suffix);
}

}  // namespace

bool IsReservedName(std::string_view database) {
  return database == kRecordDatabase || database.ends_with(kShadowSuffix) ||
         database.ends_with(kOldSuffix);
}

std::string ShadowName(std::string_view database) { return WithSuffix(database, kShadowSuffix); }
std::string OldName(std::string_view database) { return WithSuffix(database, kOldSuffix); }

}  // namespace oxbackup::mysql
