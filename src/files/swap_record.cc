#include "files/swap_record.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/hash.h"
#include "files/folder_tools.h"
#include "stream/local_file.h"

namespace oxbackup::files {
namespace {

using Json = nlohmann::json;

constexpr char kNextRecordName[] = "record.json.next";
constexpr int kRecordVersion = 1;

constexpr std::array<std::pair<SwapState, const char*>, 4> kStates = {{
    {SwapState::kAnnounced, "announced"},
    {SwapState::kSwapped, "swapped"},
    {SwapState::kUndoing, "undoing"},
    {SwapState::kKept, "kept"},
}};

Json RootToJson(const std::optional<MemberInfo>& root) {
  if (!root) return nullptr;
  Json xattrs = Json::object();
  for (const auto& [name, value] : root->xattrs) xattrs[Hex(name)] = Hex(value);
  return Json::array({root->mode, root->uid, root->gid, root->mtime_seconds,
                      root->mtime_nanoseconds, std::move(xattrs)});
}

std::string BytesFrom(const std::string& hex) {
  std::optional<std::string> bytes = FromHex(hex);
  if (!bytes) throw Error(ErrorKind::kCorrupt, "the record of a swap has a malformed name");
  return *std::move(bytes);
}

std::optional<MemberInfo> RootFromJson(const Json& json) {
  if (json.is_null()) return std::nullopt;
  MemberInfo root;
  root.mode = json.at(0).get<uint32_t>();
  root.uid = json.at(1).get<uint64_t>();
  root.gid = json.at(2).get<uint64_t>();
  root.mtime_seconds = json.at(3).get<int64_t>();
  root.mtime_nanoseconds = json.at(4).get<int64_t>();
  for (const auto& [name, value] : json.at(5).items()) {
    root.xattrs[BytesFrom(name)] = BytesFrom(value.get<std::string>());
  }
  return root;
}

// What is renamed is said by names; none may lead out of the folders of the swap.
std::string PlainName(std::string name) {
  const bool plain = !name.empty() && name != "." && name != ".." &&
                     name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
  if (!plain) throw Error(ErrorKind::kCorrupt, "the record of a swap names what no restore moves");
  return name;
}

Error CannotKeepRecord(const std::string& where, int error) {
  return SystemError(ErrorKind::kSource, fmt::format("cannot keep the record in {}", where), error)
      .Hint("check the disk and that this user may write there");
}

}  // namespace

std::string SerializeRecord(const SwapRecord& record) {
  Json entries = Json::object();
  // In hexadecimal: file names need not be UTF-8, JSON texts have to.
  for (const auto& [name, inode] : record.entries) entries[Hex(name)] = inode;
  Json trees = Json::array();
  for (const RecordedTree& tree : record.trees) {
    trees.push_back(Json::array({Hex(tree.name), Hex(tree.path)}));
  }
  const auto state = std::find_if(kStates.begin(), kStates.end(),
                                  [&](const auto& known) { return known.first == record.state; });
  return Json{{"version", kRecordVersion},
              {"state", state->second},
              {"intent", SerializeIntent(record.intent)},
              {"trees", std::move(trees)},
              {"own", record.own},
              {"folder", record.folder},
              {"entries", std::move(entries)},
              {"old_root", RootToJson(record.old_root)},
              {"new_root", RootToJson(record.new_root)}}
             .dump() +
         "\n";
}

SwapRecord ParseRecord(const std::string& json) {
  try {
    const Json parsed = Json::parse(json);
    SwapRecord record;
    const auto state = std::find_if(kStates.begin(), kStates.end(), [&](const auto& known) {
      return parsed.at("state").get<std::string>() == known.second;
    });
    if (parsed.at("version") != kRecordVersion || state == kStates.end()) {
      throw Error(ErrorKind::kCorrupt, "the record of a swap is of another version");
    }
    record.state = state->first;
    record.intent = ParseIntent(parsed.at("intent").get<std::string>());
    for (const Json& tree : parsed.at("trees")) {
      record.trees.push_back(
          {BytesFrom(tree.at(0).get<std::string>()), BytesFrom(tree.at(1).get<std::string>())});
    }
    record.own = parsed.at("own").get<size_t>();
    if (record.own >= record.trees.size()) {
      throw Error(ErrorKind::kCorrupt, "the record of a swap is of none of its trees");
    }
    record.folder = parsed.at("folder").get<uint64_t>();
    for (const auto& [name, inode] : parsed.at("entries").items()) {
      record.entries[PlainName(BytesFrom(name))] = inode.get<uint64_t>();
    }
    record.old_root = RootFromJson(parsed.at("old_root"));
    record.new_root = RootFromJson(parsed.at("new_root"));
    return record;
  } catch (const std::exception& error) {
    if (const auto* const ours = dynamic_cast<const Error*>(&error)) throw *ours;
    throw Error(ErrorKind::kCorrupt, "the record of a swap cannot be read").Cause(error.what());
  }
}

std::optional<SwapRecord> ReadRecord(int work, const std::string& where) {
  constexpr uint64_t kLargest = uint64_t{1} << 30;
  const std::unique_ptr<RangedSource> source = OpenLocalFileAt(work, kRecordName, where);
  if (source == nullptr) return std::nullopt;
  RangedByteSource bytes(*source, 0, source->Size());
  try {
    return ParseRecord(ReadAll(bytes, kLargest));
  } catch (Error& error) {
    error.While(fmt::format("reading {}/{}", where, kRecordName))
        .Hint(fmt::format("when no restore was interrupted, remove {0}; otherwise compare {0}/old "
                          "(what was replaced) with what is live, and move it back by hand",
                          where));
    throw;
  }
}

void WriteRecord(int work, const std::string& where, const SwapRecord& record) {
  const FileDescriptor file(
      ::openat(work, kNextRecordName, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) throw CannotKeepRecord(where, errno);
  if (const int error = WriteFully(file.get(), SerializeRecord(record))) {
    throw CannotKeepRecord(where, error);
  }
  if (const int error = SyncFile(file.get())) throw CannotKeepRecord(where, error);
  if (::renameat(work, kNextRecordName, work, kRecordName) != 0) {
    throw CannotKeepRecord(where, errno);
  }
  SyncFolderOrThrow(work, where);
}

void RemoveRecord(int work, const std::string& where) {
  if (::unlinkat(work, kRecordName, 0) != 0 && errno != ENOENT) {
    throw CannotKeepRecord(where, errno);
  }
  SyncFolderOrThrow(work, where);
}

}  // namespace oxbackup::files
