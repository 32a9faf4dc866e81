#include "files/tree_digest.h"

#include <fmt/format.h>

#include <iterator>

namespace oxbackup::files {
namespace {

char TypeLetter(MemberType type) {
  switch (type) {
    case MemberType::kFile:
      return 'f';
    case MemberType::kDirectory:
      return 'd';
    case MemberType::kSymlink:
      return 'l';
    case MemberType::kHardlink:
      return 'h';
  }
  return '?';
}

}  // namespace

void TreeDigest::Add(std::string_view path, const MemberInfo& info, std::string_view sha256) {
  std::string text(1, TypeLetter(info.type));
  const auto add = [&text](std::string_view field) {
    text.append(field);
    text.push_back('\0');
  };
  add("");
  add(path.empty() ? "." : path);
  const bool is_file = info.type == MemberType::kFile;
  add(is_file ? std::to_string(info.size) : "");
  add(is_file ? sha256 : "");
  add(info.link_target);
  contents_.Add(text);
  if (info.type != MemberType::kHardlink) {
    add(info.type == MemberType::kSymlink ? "" : fmt::format("{:o}", info.mode));
    add(std::to_string(info.uid));
    add(std::to_string(info.gid));
    add(fmt::format("{}.{:09}", info.mtime_seconds, info.mtime_nanoseconds));
  }
  full_.Add(text);
  if (is_file) bytes_ += info.size;
}

void TreeDigest::Merge(const TreeDigest& other) {
  full_.Merge(other.full_);
  contents_.Merge(other.contents_);
  bytes_ += other.bytes_;
}

ObjectEntry TreeDigest::ToObject(const std::string& name) const {
  ObjectEntry object;
  object.name = name;
  object.kind = "tree";
  object.items = items();
  object.raw_bytes = bytes_;
  object.digest = full();
  object.details[kContentsDigest] = contents();
  return object;
}

}  // namespace oxbackup::files
