// Exchanging one live tree for a restored one, and back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/log.h"
#include "files/entry_moves.h"
#include "files/swap_place.h"
#include "files/swap_record.h"

namespace oxbackup::files {

/// The working folder of one tree and what is done with it. Everything is on disk: an object made
/// by a later run goes on where an earlier one was killed, at whatever step. One thread at a time.
///
/// The working folder holds new/ (what is restored), old/ (what was replaced) and the record. An
/// entry is exchanged with one renameat2(RENAME_EXCHANGE), where the file system has that, and then
/// moved from new/ to old/; elsewhere it is moved to old/ and the new one in its place. The new
/// entries' inode numbers in the record tell at any time which is which. What the site makes
/// meanwhile where an entry has to go is set aside to strays/, which stays, with a warning, when
/// the rest of the working folder goes.
class TreeSwap {
 public:
  using BeforeStep = std::function<void(const std::string&)>;

  /// `warnings` must outlive it.
  TreeSwap(std::filesystem::path target, BeforeStep before_step, Warnings& warnings);

  /// That of the record, or of what BeginNew has made.
  const SwapPlace& place() const { return place_; }
  /// Where BeginNew would make it.
  SwapPlace NewPlace() const { return NewSwapPlace(target_); }
  /// Nothing when no swap is announced and no old data are kept.
  [[nodiscard]] std::optional<SwapRecord> Record() const;

  /// Keeps other runs away as long as this object lives. Throws Error(kSource) when one is at work
  /// here. REQUIRES: there is a working folder.
  void Lock();
  /// Keeps those away who read the live tree (TreeRoot::HoldOffRestores), until LetReadersIn. False
  /// when one is reading. Where entries are not exchanged one by one nobody is kept away.
  bool TryHoldOffReaders();
  /// The same. Throws Error(kSource) when one is reading.
  void HoldOffReaders();
  void LetReadersIn() { no_readers_.Close(); }
  /// Makes an empty new/ in NewPlace and returns it; what an earlier, broken restore left there is
  /// removed, kept old data stay. Throws Error(kSource) when another restore is at work in the same
  /// place, Error(kUsage) when an earlier one was interrupted.
  FileDescriptor BeginNew();
  /// Removes what BeginNew and Announce made. Old data that were kept before stay.
  void DiscardNew();
  /// Writes down that it awaits this archive's data, and removes what the swap would replace, for
  /// good. REQUIRES: BeginNew has returned. Throws Error(kSource).
  void RemoveLive(const AppliedArchive& awaited) const;
  /// Writes the record; old data of an earlier restore are dropped. `trees`: all that are swapped
  /// together, `own`: which of them this is; `new_root`: its root as the archive has it.
  void Announce(const SwapIntent& intent, std::vector<RecordedTree> trees, size_t own,
                const MemberInfo& new_root);
  /// Whether that record is an announced one and every new entry still in new/.
  bool IsUntouched(const SwapRecord& record) const;
  /// Brings the new entries in. Nothing to do when that is done already.
  void Forward();
  /// Puts this intent and state into the record. REQUIRES: there is one, and Lock.
  void Rewrite(const SwapIntent& intent, SwapState state);
  /// Says that all that follows is for going back. REQUIRES: Lock, when the old data are kept.
  void BeginBackward();
  /// Brings the old entries back. REQUIRES: BeginBackward.
  void Backward();
  /// Removes the record and then the working folder, or, with `keep_old`, new/ alone. Without a
  /// record, the working folder is a leftover and goes in any case. What cannot be removed then is
  /// a warning.
  void Close(bool keep_old);
  /// Looks at the disk anew, as an object made now would.
  void Forget();

 private:
  bool TryLock();
  void RemoveLeftoverBeside() const;
  void RemoveStrandedNew(const SwapRecord& record) const;
  void Step(const std::string& what) const;
  template <class Remove>
  void RemoveOrWarn(const Remove& remove) const;
  void WarnOfStrays() const;
  SwapFolders OpenFolders() const;
  SwapFolders OpenFoldersOf(const SwapRecord& record) const;
  std::optional<MemberInfo> RootNow() const;
  void SetState(SwapRecord& record, SwapState state) const;
  void ApplyRoot(const std::optional<MemberInfo>& root) const;
  std::string Where() const { return place_.work.string(); }

  std::filesystem::path target_;
  SwapPlace place_;
  BeforeStep before_step_;
  Warnings* warnings_;
  /// Where an earlier restore keeps old data that Announce drops, when it is not place_.
  std::optional<SwapPlace> superseded_;
  FileDescriptor lock_;
  FileDescriptor no_readers_;
  /// The target's root before our working folder in it changed its time.
  std::optional<MemberInfo> old_root_;
};

}  // namespace oxbackup::files
