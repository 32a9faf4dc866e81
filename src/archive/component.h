// A component of a site (MySQL, MongoDB, a file tree) as the engine sees it: something to copy from
// and something to restore into. The engine orders the steps; components do not know each other.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive_reader.h"
#include "archive/archive_writer.h"
#include "archive/manifest.h"

namespace oxbackup {

/// Reads one component into an archive. Calls come in the order of declaration (ReleaseMoment
/// before Copy when the copy stands for the moment of TakeSnapshot), from one thread; after any
/// error the object is only destroyed, which releases every lock and connection.
class BackupSource {
 public:
  virtual ~BackupSource() = default;
  /// "mysql", "mongodb", "caddy", "media", "config".
  virtual std::string_view name() const = 0;
  /// Connects, checks rights, lists what there is. Takes no lock. Throws Error(kSource), or
  /// Error(kUsage) for a listed database that does not exist.
  virtual void Prepare() = 0;
  /// Fixes the moment that the copy stands for (a snapshot, a position).
  virtual void TakeSnapshot() = 0;
  /// True when the copy stands for the moment at which Copy ends (an oplog is read to the end, or
  /// nothing better can be had), false when for the one at which TakeSnapshot was called. The
  /// engine orders the components by it so that their moments lie close. REQUIRES: TakeSnapshot has
  /// returned.
  virtual bool moment_is_end_of_copy() const { return false; }
  /// Copies everything as of that moment, on threads of its own.
  virtual void Copy(ArchiveWriter& writer) = 0;
  /// Lets go of what kept the moment of a copy that has ended (writers that wait): the other
  /// databases have theirs now. Called after every TakeSnapshot of the databases.
  virtual void ReleaseMoment() {}
  /// Ends the snapshot and describes what was copied.
  virtual ComponentManifest Finish() = 0;
};

/// One line of "This replaces": what is there now and what will be there.
struct ReplacedThing {
  std::string what;  ///< "openedx", "/data/caddy"
  std::string now;   ///< "398 tables, 1.1 GB", "nothing"
  std::string after;
};

/// Where a restore finds room for what it loads.
enum class RestoreRoom {
  kBeside,   ///< beside the live data, which stay until the swap
  kInPlace,  ///< where the live data were: they are removed before the load
};

/// What a restore of one component would do.
struct RestorePlan {
  std::vector<ReplacedThing> replaced;
  uint64_t bytes_needed = 0;  ///< for what is loaded, an estimate; 0 when unknown
  /// Where that space is needed, when it can be known; with kInPlace together with what the live
  /// data free.
  std::optional<uint64_t> bytes_free;
};

/// What a component's data are, by what the restore that brought them has written down beside
/// them.
struct AppliedArchive {
  std::string archive;   ///< its name
  std::string version;   ///< of a store that keeps versions; else empty
  std::string identity;  ///< the SHA-256 of its manifest; empty when it has none
  std::string created;   ///< when it was made, RFC 3339
  std::string applied;   ///< when its swap began, RFC 3339
  std::string run_id;    ///< of the restore

  friend bool operator==(const AppliedArchive&, const AppliedArchive&) = default;
};

/// One line of JSON, and back: nothing where it is not what this version writes, since then nothing
/// is known.
std::string SerializeApplied(const AppliedArchive& applied);
[[nodiscard]] std::optional<AppliedArchive> ParseApplied(std::string_view json);

/// The same of live data that a restore in place has removed; the archive is the one whose data
/// were to take their place. Lies where the other would, which does not parse as this.
std::string SerializeRemoval(const AppliedArchive& awaited);
[[nodiscard]] std::optional<AppliedArchive> ParseRemoval(std::string_view json);

/// Which archive and run a swap belongs to; written into the record that every place keeps of it.
/// The engine writes the records of a run's components in the order of `components` and closes them
/// in the same order. So the last one's record tells whether the run had come to its swaps: with it
/// an interrupted restore is completed, without it undone.
struct SwapIntent {
  std::string run_id;                   ///< unique: time and random digits
  std::string archive;                  ///< the archive's name
  std::string started;                  ///< RFC 3339
  std::vector<std::string> components;  ///< all that this run swaps, in the order above
  bool keep_old = false;                ///< what was replaced stays after the run
  std::string version = {};             ///< as in AppliedArchive, like the next three
  std::string identity = {};
  std::string created = {};
  std::string applied = {};

  /// What the component holds when the swap is done.
  AppliedArchive Brings() const { return {archive, version, identity, created, applied, run_id}; }

  friend bool operator==(const SwapIntent&, const SwapIntent&) = default;
};

/// One line of JSON, and back. Parsing throws Error(kCorrupt).
std::string SerializeIntent(const SwapIntent& intent);
SwapIntent ParseIntent(std::string_view json);

/// A swap that an earlier run announced and did not close.
struct OpenSwap {
  enum class Stage {
    kSwapping,  ///< announced, begun or done: both ways are open
    kUndoing,   ///< on the way back
    kClosing,   ///< done, and the old data are being removed: there is no way back
  };

  SwapIntent intent;
  std::string state;  ///< for people: "3 of 7 collections swapped"
  Stage stage = Stage::kSwapping;
};

/// Restores one component beside its live data and swaps it in. A restore calls Plan, Load, Verify,
/// WriteIntent, Swap, CloseSwap in this order from one thread; until Swap nothing live has changed.
/// One in place calls PrepareRemoval and RemoveLive of all components before the first Load, and
/// the calls after them find nothing live. After an error before Swap the engine calls Abandon.
/// Errors are Error.
/// A stop request (run.stop) ends Plan, PrepareRemoval, Load and Verify; all other calls run to
/// their end although a stop was requested, because they are what leaves the site whole.
class RestoreTarget {
 public:
  virtual ~RestoreTarget() = default;
  virtual std::string_view name() const = 0;

  /// A swap left open by an earlier run, which has to be finished (CompleteSwap) or undone
  /// (UndoSwap) before anything else.
  [[nodiscard]] virtual std::optional<OpenSwap> FindOpenSwap() = 0;
  /// The same for a report: changes nothing and keeps nobody away, so that the run whose swap it is
  /// may be at work.
  [[nodiscard]] virtual std::optional<OpenSwap> PeekOpenSwap() = 0;
  /// The newest finished swap whose old data are kept; nothing when there is none.
  [[nodiscard]] virtual std::optional<SwapIntent> FindKeptSwap() = 0;
  /// Comes before an UndoSwap of the run `intent.run_id` when that is finished and its old data are
  /// kept: throws the Error that UndoSwap would be refused with, then puts `intent` into the
  /// record. With `begun` the swap is an open one from then on (Stage::kUndoing); without, it is a
  /// kept one again, if nothing of it has been brought back. Nothing happens without such a record.
  virtual void PrepareUndo(const SwapIntent& intent, bool begun) = 0;
  /// Removes the old data of all finished swaps for good. REQUIRES: no swap is open.
  virtual void DropKept() = 0;
  /// Brings an open swap to its end; what it replaced stays as old data until CloseSwap.
  virtual void CompleteSwap() = 0;
  /// Brings back the data from before the swap of the run `run_id`, open or finished, and of no
  /// other run; nothing happens when no record of that run is here. Empty: from before the open
  /// swap, or the last finished one whose old data were kept; throws Error(kNotFound) when there is
  /// none. Throws Error(kNotFound) also when the old data are being removed already.
  virtual void UndoSwap(const std::string& run_id) = 0;

  /// Which archive's data are live here: that of the newest restore which swapped something in and
  /// was not undone since. Nothing when there is none, while a swap is open, when it was restored
  /// with other settings of what is restored, and when something that it brought is not there any
  /// more. What the site has written since does not count. Changes nothing and keeps nobody away.
  [[nodiscard]] virtual std::optional<AppliedArchive> Applied() = 0;

  /// Connects, checks rights, versions and space, and says what would be replaced. Changes nothing.
  /// `manifest`: of the archive, nullptr for a foreign one.
  virtual RestorePlan Plan(const Manifest* manifest, RestoreRoom room) = 0;
  /// Finds out what a swap of this archive would replace, checks what can be checked before that
  /// goes, and keeps readers and other restores away as Load and Verify do. Nothing live changes;
  /// leftovers of earlier, broken loads may be removed. REQUIRES: Plan has returned; no kept swap.
  virtual void PrepareRemoval(ArchiveReader& reader) = 0;
  /// Writes down durably that the live data go, and which archive's are to take their place, then
  /// removes what PrepareRemoval has found, for good. After an error some of it may be gone; a
  /// restore that begins anew goes on from whatever is left.
  virtual void RemoveLive(const AppliedArchive& awaited) = 0;
  /// The archive whose data were to take the place of live data that were removed, until a swap has
  /// brought any. Nothing where this user may not read that. Changes nothing.
  [[nodiscard]] virtual std::optional<AppliedArchive> Awaited() = 0;
  /// Forgets that: what is there now is the site. REQUIRES: no swap is open.
  virtual void ForgetAwaited() = 0;
  /// Loads the component's members beside the live data, with indexes. Leftovers of earlier,
  /// broken loads are removed first.
  virtual void Load(ArchiveReader& reader) = 0;
  /// Reads back what was loaded and compares every count and digest with the manifest
  /// (nullptr for a foreign archive: compares with what Load counted).
  /// Throws Error(kCorrupt) naming the first table or collection that differs.
  virtual void Verify(const ComponentManifest* expected) = 0;
  /// Writes down durably, in the place that is about to change, what will move where.
  virtual void WriteIntent(const SwapIntent& intent) = 0;
  /// Old out, new in, as one step where the server has one. Throws with the live data whole: either
  /// all old or all new, or, where a server cannot do that, an open swap that the next run
  /// finishes.
  virtual void Swap() = 0;
  /// Closes the record; drops the old data unless `keep_old`.
  virtual void CloseSwap(bool keep_old) = 0;
  /// Removes what was loaded beside. REQUIRES: Swap has not been called.
  virtual void Abandon() = 0;
  /// How long writers or readers were held by Swap, milliseconds.
  virtual int64_t swap_ms() const = 0;
};

/// Reads a component of a running site and compares it with a manifest, table by table
/// (`verify --against-live`). Returns one sentence per difference; none means equal.
class LiveComparer {
 public:
  virtual ~LiveComparer() = default;
  virtual std::string_view name() const = 0;
  virtual std::vector<std::string> Compare(const ComponentManifest& expected) = 0;
};

}  // namespace oxbackup
