#include "files/applied_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "files/folder_tools.h"
#include "files/tree_walk.h"
#include "stream/local_file.h"

namespace oxbackup::files {
namespace {

using Json = nlohmann::json;

std::string NameBeside(const std::string& tree) { return fmt::format("{}-{}", kAppliedFile, tree); }

std::string NameAt(const SwapPlace& place) {
  return place.inside ? kAppliedFile : NameBeside(place.base);
}

// In hexadecimal: file names need not be UTF-8, JSON texts have to.
Json ToJson(const std::vector<std::string>& names) {
  Json list = Json::array();
  for (const std::string& name : names) list.push_back(Hex(name));
  return list;
}

std::vector<std::string> NamesFrom(const Json& list) {
  std::vector<std::string> names;
  for (const Json& name : list) names.push_back(FromHex(name.get<std::string>()).value_or(""));
  return names;
}

std::string Serialize(const AppliedTree& applied) {
  return Json{{"archive", Json::parse(SerializeApplied(applied.archive))},
              {"name", Hex(applied.name)},
              {"restored", ToJson(applied.restored)},
              {"configured", ToJson(applied.configured)},
              {"entries", ToJson(applied.entries)}}
             .dump() +
         "\n";
}

std::optional<AppliedTree> Parse(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    std::optional<AppliedArchive> archive = ParseApplied(json.at("archive").dump());
    if (!archive) return std::nullopt;
    return AppliedTree{*std::move(archive),
                       FromHex(json.at("name").get<std::string>()).value_or(""),
                       NamesFrom(json.at("restored")), NamesFrom(json.at("configured")),
                       NamesFrom(json.at("entries"))};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

Error CannotWrite(const std::string& where, int error) {
  return SystemError(ErrorKind::kSource,
                     fmt::format("cannot write what is restored into {}", where), error)
      .Hint("check the disk and that this user may write there");
}

void WriteFile(int folder, const std::string& name, const std::string& text,
               const std::string& where) {
  ::unlinkat(folder, name.c_str(), 0);
  const FileDescriptor file(
      ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) throw CannotWrite(where, errno);
  if (const int error = WriteFully(file.get(), text)) throw CannotWrite(where, error);
  if (const int error = SyncFile(file.get())) throw CannotWrite(where, error);
  SyncFolderOrThrow(folder, where);
}

// Only who owns the folder that a file lies in, or root, can have put it there.
bool IsTrusted(const struct stat& status) {
  const bool owned = status.st_uid == ::geteuid() || status.st_uid == 0;
  return S_ISREG(status.st_mode) && owned && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::optional<std::string> ReadTrusted(int folder, const std::string& name) {
  FileDescriptor file(
      ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !IsTrusted(status)) return std::nullopt;
  const LocalFileSource source(std::move(file), name);
  RangedByteSource bytes(source, 0, source.Size());
  constexpr uint64_t kLargest = uint64_t{1} << 30;
  return ReadAll(bytes, kLargest);
}

struct Found {
  FileDescriptor folder;  // that it lies in
  bool inside = false;    // which is the tree itself
  std::string text;       // "" where there is none to be trusted
};

Found Find(const std::filesystem::path& target) {
  Found found;
  found.folder = OpenFolder(target);
  found.inside = static_cast<bool>(found.folder);
  if (!found.inside) found.folder = OpenFolder(target.parent_path());
  const std::string name = found.inside ? kAppliedFile : NameBeside(target.filename().string());
  found.text = ReadTrusted(found.folder.get(), name).value_or("");
  return found;
}

}  // namespace

void WriteAppliedFile(int fresh, const SwapPlace& place, AppliedTree applied) {
  const std::string where = place.NewTree().string();
  if (place.inside) {
    applied.entries = NamesIn(fresh, where);
    std::erase(applied.entries, kAppliedFile);
    WriteFile(fresh, kAppliedFile, Serialize(applied), where);
    return;
  }
  const FileDescriptor root = OpenFolderAt(fresh, place.base);
  struct stat status {};
  if (!root || ::fstat(root.get(), &status) != 0) {
    WriteFile(fresh, NameBeside(place.base), Serialize(applied), where);
    return;
  }
  applied.entries = NamesIn(root.get(), where);
  std::erase(applied.entries, kAppliedFile);
  (void)!::fchmod(root.get(), status.st_mode | S_IRWXU);
  WriteFile(root.get(), kAppliedFile, Serialize(applied), where);
  (void)!::fchmod(root.get(), status.st_mode & ~static_cast<mode_t>(S_IFMT));
  const timespec times[] = {status.st_atim, status.st_mtim};
  (void)!::futimens(root.get(), times);
}

void WriteRemovalFile(const SwapPlace& place, const AppliedArchive& awaited) {
  const FileDescriptor live = OpenFolder(place.live);
  if (!place.inside && !InodeAt(live.get(), place.base)) return;
  WriteFile(live.get(), NameAt(place), SerializeRemoval(awaited) + "\n", place.live.string());
}

void RemoveAppliedFile(const SwapPlace& place) {
  const FileDescriptor live = OpenFolder(place.live);
  const std::string name = NameAt(place);
  if (::unlinkat(live.get(), name.c_str(), 0) != 0) {
    if (errno == ENOENT) return;
    throw CannotWrite(place.live.string(), errno);
  }
  SyncFolderOrThrow(live.get(), place.live.string());
}

std::optional<AppliedTree> ReadAppliedFile(const std::filesystem::path& target) {
  const Found found = Find(target);
  std::optional<AppliedTree> applied = Parse(found.text);
  if (!applied) return std::nullopt;
  const int in = found.folder.get();
  const bool whole = found.inside ? std::ranges::all_of(applied->entries,
                                                        [&](const std::string& entry) {
                                                          return InodeAt(in, entry).has_value();
                                                        })
                                  : InodeAt(in, target.filename().string()).has_value();
  return whole ? std::move(applied) : std::nullopt;
}

std::optional<AppliedArchive> ReadRemovalFile(const std::filesystem::path& target) {
  return ParseRemoval(Find(target).text);
}

std::optional<AppliedArchive> AppliedByAll(const std::vector<NamedAppliedTree>& trees) {
  const AppliedTree* last = nullptr;
  for (const NamedAppliedTree& tree : trees) {
    if (tree.applied &&
        (last == nullptr || last->archive.applied < tree.applied->archive.applied)) {
      last = &*tree.applied;
    }
  }
  if (last == nullptr || last->configured.size() != trees.size()) return std::nullopt;
  for (const NamedAppliedTree& tree : trees) {
    if (std::ranges::count(last->configured, tree.name) == 0) return std::nullopt;
    const bool restored = std::ranges::count(last->restored, tree.name) > 0;
    if (!restored) continue;
    // Folders that have exchanged their places, or their names, hold each other's data.
    if (!tree.applied || tree.applied->name != tree.name ||
        tree.applied->archive.run_id != last->archive.run_id) {
      return std::nullopt;
    }
  }
  return last->archive;
}

}  // namespace oxbackup::files
