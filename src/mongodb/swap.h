// Old out, new in: the moves of a SwapRecord, forwards and backwards, from whatever state they are
// in.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context.h"
#include "mongodb/live_names.h"
#include "mongodb/swap_record.h"

namespace oxbackup::mongodb {

enum class SwapDirection { kForward, kBackward };

/// How the moves were made.
struct SwapOutcome {
  bool one_step = true;      ///< one applyOps; else one by one, and readers could see a mixture
  std::string why_not;       ///< the server's words
  bool lacks_right = false;  ///< the account may not do it in one step, though the server can
  int64_t milliseconds = 0;  ///< from the first to the last change
  std::vector<std::string> strays;  ///< what writers had created in the way, by its name now
};

/// Carries out a record's moves. Everything is derived from the record and from what the server has
/// now, so every call may be repeated after a death at any step. One thread at a time.
class Swapper {
 public:
  /// All must outlive the swapper. `before_step`: see RestoreOptions; may be empty.
  Swapper(Session& session, const std::function<void(std::string_view)>& before_step)
      : session_(session), before_step_(before_step) {}

  /// Throws Error(kSource) unless all live names and all that come in are exactly as the record
  /// says, with nothing moved.
  void CheckUntouched(const SwapRecord& record);
  /// Brings all moves to their end in that direction and checks names and UUIDs afterwards. With
  /// `one_step` false no applyOps is tried.
  SwapOutcome Carry(const SwapRecord& record, SwapDirection direction, bool one_step = true);
  /// Whether all that comes in is live (forward).
  bool AllIn(const SwapRecord& record);
  /// How many of the moves stand in their final place (forward).
  size_t CountDone(const SwapRecord& record);
  /// Drops what the moves replaced (forward) or what did not come in (backward).
  void DropOld(const SwapRecord& record);
  void DropRestored(const SwapRecord& record);
  /// Drops the copies from which live collections were made equal to what came in.
  void DropLoadedCopies(const SwapRecord& record);
  /// Copies what is live beside itself. Before the record is written.
  void KeepCopy(const SwapCopy& copy);

 private:
  using Names = std::map<std::string, LiveEntry>;
  using Live = std::map<std::string, Names>;
  /// One change: a renameCollection, create or drop as an entry of applyOps has it.
  struct Change {
    std::string database;
    Bson command;
    std::string text;
  };

  Live Look(const SwapRecord& record);
  static void CheckCopies(const SwapRecord& record, const Live& live);
  static void AddChanges(const SwapMove& move, const Names& names, SwapDirection direction,
                         std::vector<Change>& changes);
  std::vector<Change> Changes(const SwapRecord& record, SwapDirection direction);
  bool MoveAtOnce(const SwapRecord& record, SwapDirection direction, SwapOutcome& outcome);
  Reply ApplyAtOnce(const std::vector<Change>& changes, bool nested);
  void MoveOneByOne(const SwapRecord& record, SwapDirection direction);
  void CopyInto(const SwapRecord& record, SwapDirection direction);
  static std::vector<std::string> Strays(const SwapRecord& record, const Live& before,
                                         const Live& after);
  void DropCopy(const std::string& database, const std::string& name);
  void DropCopies(const SwapRecord& record);
  static void CheckArrived(const SwapRecord& record, SwapDirection direction, const Live& live);
  void Step(std::string_view what) const {
    if (before_step_) before_step_(what);
  }

  Session& session_;
  const std::function<void(std::string_view)>& before_step_;
};

}  // namespace oxbackup::mongodb
