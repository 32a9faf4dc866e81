#include "mongodb/dump_path.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/path_name.h"
#include "base/error.h"

namespace oxbackup::mongodb {
namespace {

// mongodump before its version 100 wrote names as they are, so a '%' may be one.
std::string Unescape(std::string_view name) {
  try {
    return UnescapeName(name);
  } catch (const Error&) {
    return std::string(name);
  }
}

// The documents of a time series lie in the collection of its buckets, its metadata under its name.
std::string OfSeries(std::string collection) {
  constexpr std::string_view kBuckets = "system.buckets.";
  if (collection.starts_with(kBuckets)) collection.erase(0, kBuckets.size());
  return collection;
}

bool IsPart(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'h') || c == '-';
  });
}

// Of "oplog.bson" (empty) and "oplog.bson.00000001".
std::optional<std::string_view> OplogPart(std::string_view path) {
  constexpr std::string_view kOplog = "oplog.bson";
  if (!path.starts_with(kOplog)) return std::nullopt;
  path.remove_prefix(kOplog.size());
  if (path.empty()) return path;
  const bool digits = path.size() == 9 && path[0] == '.' &&
                      path.find_first_not_of("0123456789", 1) == std::string_view::npos;
  return digits ? std::optional(path.substr(1)) : std::nullopt;
}

}  // namespace

std::optional<DumpMember> ParseDumpPath(std::string_view path) {
  constexpr std::string_view kMetadata = ".metadata.json";
  constexpr std::string_view kData = ".bson";
  if (!path.starts_with(kDumpFolder)) return std::nullopt;
  path.remove_prefix(std::string_view(kDumpFolder).size());
  if (path.ends_with(".bson.gz") || path.ends_with(".metadata.json.gz")) {
    throw Error(ErrorKind::kUsage, fmt::format("'{}' is compressed inside the archive", path))
        .Hint("unpack the archive, run gunzip -r over the dump, and pack it again");
  }
  if (const auto part = OplogPart(path)) {
    return DumpMember{DumpMemberKind::kOplog, "", "", std::string(*part)};
  }
  const size_t slash = path.rfind('/');
  if (slash == path.npos || slash == 0) return std::nullopt;
  DumpMember member;
  // The predecessor dumped each database into the folder; a stray folder level does not matter.
  const std::string_view folder = path.substr(0, slash);
  member.database = Unescape(folder.substr(folder.rfind('/') + 1));
  const std::string_view file = path.substr(slash + 1);
  if (file.ends_with(kMetadata)) {
    member.kind = DumpMemberKind::kMetadata;
    member.collection = Unescape(file.substr(0, file.size() - kMetadata.size()));
    return member;
  }
  if (file.ends_with(kData)) {
    member.collection = OfSeries(Unescape(file.substr(0, file.size() - kData.size())));
    return member;
  }
  const size_t part = file.rfind('.');
  if (part == file.npos || !file.substr(0, part).ends_with(kData) ||
      !IsPart(file.substr(part + 1))) {
    return std::nullopt;
  }
  member.part = file.substr(part + 1);
  member.collection = OfSeries(Unescape(file.substr(0, part - kData.size())));
  return member;
}

}  // namespace oxbackup::mongodb
