#include "files/tree_swap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/error.h"
#include "files/applied_file.h"
#include "files/entry_facts.h"
#include "files/entry_moves.h"
#include "files/folder_tools.h"
#include "files/tree_walk.h"
#include "files/work_folder.h"

namespace oxbackup::files {
namespace {

constexpr char kOld[] = "old";

}  // namespace

TreeSwap::TreeSwap(std::filesystem::path target, BeforeStep before_step, Warnings& warnings)
    : target_(std::move(target)),
      place_(FindSwapPlace(target_)),
      before_step_(std::move(before_step)),
      warnings_(&warnings) {}

void TreeSwap::Forget() {
  place_ = FindSwapPlace(target_);
  lock_.Close();
  LetReadersIn();
  old_root_.reset();
}

std::optional<SwapRecord> TreeSwap::Record() const { return RecordAt(place_); }

bool TreeSwap::TryLock() {
  if (lock_) return true;
  FileDescriptor work = OpenWorkFolder(place_);
  if (!work || !IsOurs(work.get(), place_)) return false;
  if (::flock(work.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  lock_ = std::move(work);
  return true;
}

void TreeSwap::Lock() {
  if (TryLock()) return;
  throw Error(ErrorKind::kSource,
              fmt::format("another restore of {} is running", place_.target.string()))
      .Hint("wait for it to end");
}

bool TreeSwap::TryHoldOffReaders() {
  if (!place_.inside || no_readers_) return true;
  FileDescriptor live = OpenFolder(place_.live);
  if (live && ::flock(live.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  no_readers_ = std::move(live);
  return true;
}

void TreeSwap::HoldOffReaders() {
  if (TryHoldOffReaders()) return;
  throw Error(ErrorKind::kSource,
              fmt::format("a backup or a comparison is reading {}", place_.target.string()))
      .Hint("wait for it to end, then run this again");
}

FileDescriptor TreeSwap::BeginNew() {
  lock_.Close();
  superseded_.reset();
  const SwapPlace earlier = FindSwapPlace(target_);
  place_ = NewPlace();
  if (!old_root_) old_root_ = RootNow();
  (void)MakeWorkFolder(place_);
  Lock();
  ApplyRoot(old_root_);
  const std::optional<SwapRecord> record = RecordAt(earlier);
  if (record && record->state != SwapState::kKept) {
    lock_.Close();
    throw Error(ErrorKind::kUsage,
                fmt::format("an earlier restore of {} was interrupted", place_.target.string()))
        .Hint("finish or undo it first");
  }
  if (record && earlier.work != place_.work) superseded_ = earlier;
  if (place_.inside && !superseded_) RemoveLeftoverBeside();
  RemoveTreeAt(lock_.get(), kNewFolder, Where() + "/new");
  if (!record || superseded_) RemoveTreeAt(lock_.get(), kOld, Where() + "/old");
  return MakeFolderAt(lock_.get(), kNewFolder, Where() + "/new");
}

// A kill may have left it when the folder that was restored there had just begun to exist, or
// before its kept data were gone. Nothing refers to it.
void TreeSwap::RemoveLeftoverBeside() const {
  const SwapPlace beside = BesidePlace(target_);
  const FileDescriptor work(
      ::open(beside.work.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (work && IsOurs(work.get(), beside) && !InodeAt(work.get(), kRecordName)) {
    RemoveOrWarn([&] { RemoveWorkFolder(beside); });
  }
}

void TreeSwap::DiscardNew() {
  // Without the lock it is another restore's.
  if (!lock_) return;
  const std::optional<SwapRecord> record = Record();
  if (record && record->state == SwapState::kKept) {
    RemoveTreeAt(lock_.get(), kNewFolder, Where() + "/new");
  }
  if (record && record->state != SwapState::kAnnounced) return;
  Close(false);
  ApplyRoot(old_root_);
}

void TreeSwap::RemoveLive(const AppliedArchive& awaited) const {
  Step("write down that the live tree goes");
  WriteRemovalFile(place_, awaited);
  const FileDescriptor live = OpenFolder(place_.live);
  const std::string where = place_.live.string();
  const std::vector<std::string> names =
      place_.inside ? NamesIn(live.get(), where) : std::vector<std::string>{place_.base};
  for (const std::string& name : names) {
    struct stat status {};
    if (::fstatat(live.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (place_.inside && (name == kAppliedFile || IsWorkFolder(name, status))) continue;
    Step("remove the live " + name);
    RemoveTreeAt(live.get(), name, where + "/" + name);
  }
  SyncFolderOrThrow(live.get(), where);
}

void TreeSwap::Announce(const SwapIntent& intent, std::vector<RecordedTree> trees, size_t own,
                        const MemberInfo& new_root) {
  const SwapFolders folders = OpenFolders();
  SwapRecord record;
  record.intent = intent;
  record.trees = std::move(trees);
  record.own = own;
  record.folder = InodeAt(folders.work.get(), ".").value_or(0);
  for (const std::string& name : NamesIn(folders.fresh.get(), Where() + "/new")) {
    record.entries[name] = InodeAt(folders.fresh.get(), name).value_or(0);
  }
  if (place_.inside) {
    record.old_root = old_root_ ? old_root_ : RootNow();
    record.new_root = new_root;
  }
  if (superseded_) {
    Step("drop the old data of an earlier restore");
    RemoveRecord(OpenWorkFolder(*superseded_).get(), superseded_->work.string());
    RemoveOrWarn([&] { RemoveWorkFolder(*superseded_); });
    superseded_.reset();
  } else if (Record()) {
    Step("drop the old data of an earlier restore");
    RemoveRecord(folders.work.get(), Where());
  }
  RemoveTreeAt(folders.work.get(), kOld, Where() + "/old");
  (void)MakeFolderAt(folders.work.get(), kOld, Where() + "/old");
  Step("write the record");
  WriteRecord(folders.work.get(), Where(), record);
  SyncFolderOrThrow(folders.live.get(), place_.live.string());
}

bool TreeSwap::IsUntouched(const SwapRecord& record) const {
  if (record.state != SwapState::kAnnounced) return false;
  const SwapFolders folders = OpenFolders();
  return std::all_of(record.entries.begin(), record.entries.end(), [&](const auto& entry) {
    return InodeAt(folders.fresh.get(), entry.first) == entry.second;
  });
}

void TreeSwap::Forward() {
  std::optional<SwapRecord> record = Record();
  if (!record || record->state == SwapState::kSwapped || record->state == SwapState::kKept) return;
  const SwapFolders folders = OpenFoldersOf(*record);
  if (record->state == SwapState::kUndoing) SetState(*record, SwapState::kAnnounced);
  const EntryMoves moves(folders, place_, [this](const std::string& what) { Step(what); });
  for (const auto& [name, inode] : record->entries) moves.BringIn(name, inode);
  if (place_.inside) {
    for (const std::string& name : NamesIn(folders.live.get(), place_.live.string())) {
      struct stat status {};
      if (record->entries.contains(name)) continue;
      if (::fstatat(folders.live.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (!IsWorkFolder(name, status)) moves.TakeOut(name);
    }
  }
  ApplyRoot(record->new_root);
  SyncFolderOrThrow(folders.live.get(), place_.live.string());
  SyncFolderOrThrow(folders.old.get(), Where());
  SyncFolderOrThrow(folders.fresh.get(), Where());
  SetState(*record, SwapState::kSwapped);
}

void TreeSwap::Rewrite(const SwapIntent& intent, SwapState state) {
  std::optional<SwapRecord> record = Record();
  if (!record) return;
  RemoveStrandedNew(*record);
  record->intent = intent;
  SetState(*record, state);
}

void TreeSwap::BeginBackward() {
  std::optional<SwapRecord> record = Record();
  if (!record) return;
  RemoveStrandedNew(*record);
  SetState(*record, SwapState::kUndoing);
}

// Beside kept data new/ is what a later restore was killed while loading. An open record would take
// it for its own.
void TreeSwap::RemoveStrandedNew(const SwapRecord& record) const {
  if (record.state != SwapState::kKept) return;
  RemoveTreeAt(lock_.get(), kNewFolder, Where() + "/new");
}

void TreeSwap::Backward() {
  const std::optional<SwapRecord> record = Record();
  if (!record) return;
  const SwapFolders folders = OpenFoldersOf(*record);
  const EntryMoves moves(folders, place_, [this](const std::string& what) { Step(what); });
  for (const auto& [name, inode] : record->entries) moves.BringBack(name, inode);
  for (const std::string& name : NamesIn(folders.old.get(), Where() + "/old")) {
    if (!record->entries.contains(name)) moves.PutBack(name);
  }
  ApplyRoot(record->old_root);
  SyncFolderOrThrow(folders.live.get(), place_.live.string());
  SyncFolderOrThrow(folders.old.get(), Where());
  SyncFolderOrThrow(folders.fresh.get(), Where());
}

void TreeSwap::Close(bool keep_old) {
  const FileDescriptor work = OpenWorkFolder(place_);
  if (!work) return;
  std::optional<SwapRecord> record = Record();
  // A leftover of nobody that runs; what somebody else put there stays.
  if (!record && !TryLock()) return;
  if (record && keep_old) {
    SetState(*record, SwapState::kKept);
    RemoveOrWarn([&] { RemoveTreeAt(work.get(), kNewFolder, Where() + "/new"); });
    WarnOfStrays();
    return;
  }
  const bool announced = record && record->state == SwapState::kAnnounced;
  const std::optional<MemberInfo> root = announced ? record->old_root : RootNow();
  Step("remove the record");
  RemoveRecord(work.get(), Where());
  Step("remove the working folder");
  RemoveOrWarn([&] { RemoveWorkFolder(place_); });
  if (record) WarnOfStrays();
  // Removing the working folder has changed the time of the folder that it was in.
  ApplyRoot(root);
}

// For what nobody needs any more: the swap has succeeded or has been taken back.
template <class Remove>
void TreeSwap::RemoveOrWarn(const Remove& remove) const {
  try {
    remove();
  } catch (const Error& error) {
    warnings_->Add(
        fmt::format("what a restore of {} has done with is still there: {} ({}); remove it",
                    place_.target.string(), error.what(), error.cause()));
  }
}

void TreeSwap::WarnOfStrays() const {
  const std::filesystem::path strays = place_.work / kStrays;
  if (!std::filesystem::exists(std::filesystem::symlink_status(strays))) return;
  warnings_->Add(fmt::format(
      "{} holds what the site had made in {} where the swap needed the place; look at it, then "
      "remove it",
      strays.string(), place_.live.string()));
}

void TreeSwap::Step(const std::string& what) const {
  if (before_step_) before_step_(fmt::format("{} ({})", what, place_.target.string()));
}

SwapFolders TreeSwap::OpenFolders() const {
  SwapFolders folders;
  folders.work = OpenWorkFolder(place_);
  folders.live = OpenFolder(place_.live);
  if (!folders.work || !folders.live) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot open {}", Where()), errno)
        .Hint("run as the user that began the restore");
  }
  CheckIsOurs(folders.work.get(), place_);
  folders.fresh = MakeFolderAt(folders.work.get(), kNewFolder, Where() + "/new");
  folders.old = MakeFolderAt(folders.work.get(), kOld, Where() + "/old");
  return folders;
}

SwapFolders TreeSwap::OpenFoldersOf(const SwapRecord& record) const {
  SwapFolders folders = OpenFolders();
  if (InodeAt(folders.work.get(), ".") == record.folder) return folders;
  throw Error(ErrorKind::kSource,
              fmt::format("{} was copied here with an open swap, or its file system was made anew",
                          Where()))
      .Cause("what is new in it and what is old can no longer be told apart")
      .Hint(fmt::format("compare {0}/new and {0}/old with what is live, put right what is not, and "
                        "remove {0}",
                        Where()));
}

void TreeSwap::SetState(SwapRecord& record, SwapState state) const {
  record.state = state;
  const FileDescriptor work = OpenWorkFolder(place_);
  Step("note the state");
  WriteRecord(work.get(), Where(), record);
}

std::optional<MemberInfo> TreeSwap::RootNow() const {
  if (!place_.inside) return std::nullopt;
  const FileDescriptor live = OpenFolder(place_.live);
  struct stat status {};
  OwnerNames owners;
  if (!live || ::fstat(live.get(), &status) != 0) return std::nullopt;
  MemberInfo root = InfoFromStat(status, owners);
  root.xattrs = ReadXattrs(live.get(), place_.live.string());
  return root;
}

void TreeSwap::ApplyRoot(const std::optional<MemberInfo>& root) const {
  if (!root) return;
  const FileDescriptor live = OpenFolder(place_.live);
  // A mount point may refuse; its entries are what counts.
  if (!live) return;
  for (const auto& [name, value] : ReadXattrs(live.get(), place_.live.string())) {
    if (!root->xattrs.contains(name)) (void)!::fremovexattr(live.get(), name.c_str());
  }
  (void)ApplyInfo(live.get(), *root);
}

}  // namespace oxbackup::files
