#include "mysql/dump_digester.h"

#include <fmt/format.h>

#include <optional>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "mysql/member_path.h"

namespace oxbackup::mysql {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10;

void AddLine(std::string_view line, ContentDigest& digest) {
  if (!line.starts_with('(')) return;
  if (line.ends_with(',') || line.ends_with(';')) line.remove_suffix(1);
  digest.Add(line);
}

}  // namespace

ContentDigest DigestRows(ByteSource& content) {
  ContentDigest digest;
  std::string buffer;
  size_t held = 0;  // bytes of an unfinished line
  while (true) {
    buffer.resize(held + kReadBytes);
    const size_t got = content.Read(buffer.data() + held, kReadBytes);
    buffer.resize(held + got);
    if (got == 0) break;
    size_t begin = 0;
    size_t end = buffer.find('\n', held);
    for (; end != std::string::npos; end = buffer.find('\n', begin)) {
      AddLine(std::string_view(buffer).substr(begin, end - begin), digest);
      begin = end + 1;
    }
    buffer.erase(0, begin);
    held = buffer.size();
  }
  AddLine(buffer, digest);
  return digest;
}

void DumpDigester::Feed(const std::string& path, ByteSource& content) {
  const std::optional<MemberPath> member = ParseMemberPath(path);
  if (!member || member->kind != MemberKind::kRows) return;
  const ContentDigest digest = DigestRows(content);
  const std::lock_guard lock(mutex_);
  digests_[{member->database, member->name}].Merge(digest);
}

uint64_t DumpDigester::Compare(const ComponentManifest& expected) const {
  const std::lock_guard lock(mutex_);
  std::set<std::pair<std::string, std::string>> compared;
  for (const ObjectEntry& object : expected.objects) {
    if (object.digest.empty()) continue;
    const std::pair key(object.database, object.name);
    const auto found = digests_.find(key);
    const ContentDigest digest = found == digests_.end() ? ContentDigest() : found->second;
    if (digest.count() != object.items || digest.Hex() != object.digest) {
      throw Error(ErrorKind::kCorrupt, fmt::format("the rows of {}.{} in the archive are not those "
                                                   "that the manifest describes",
                                                   object.database, object.name))
          .Cause(fmt::format("{} with digest {} instead of {} with digest {}",
                             FormatCounted(digest.count(), "row", "rows"), digest.Hex(),
                             FormatCounted(object.items, "row", "rows"), object.digest));
    }
    compared.insert(key);
  }
  for (const auto& [key, digest] : digests_) {
    if (compared.contains(key)) continue;
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the archive has rows of {}.{}, which the manifest does not know",
                            key.first, key.second));
  }
  return compared.size();
}

}  // namespace oxbackup::mysql
