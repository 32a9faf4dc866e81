// Restore: everything is loaded beside the live data and verified, then swapped in.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "archive/manifest.h"
#include "engine/applied.h"
#include "engine/choice.h"
#include "engine/site.h"
#include "store/store.h"

namespace oxbackup {

/// What a restore is going to do, for the operator's question.
struct RestorePreview {
  std::string archive;
  const Manifest* manifest = nullptr;                      ///< nullptr for a foreign archive
  std::vector<std::pair<std::string, RestorePlan>> plans;  ///< by component
  std::vector<std::string>
      left_out;  ///< components that the archive holds and that stay as they are
  std::vector<std::string> not_held;  ///< selected ones that it lacks and that stay as they are
  std::string passed_over = {};       ///< as in ArchiveEntry
  bool in_place = false;              ///< as in RestoreOptions
  HeldArchives held = {};             ///< what the components hold now
};

/// The title of the board's note that says what became of interrupted restores, which comes before
/// anything else.
inline constexpr char kEarlierRestore[] = "earlier restore";

struct RestoreOptions {
  ArchiveChoice choice;
  ComponentSelection selection;  ///< of what the archive holds
  bool dry_run = false;          ///< stop after the preview; an open swap is a warning
  bool keep_old = false;         ///< what was replaced stays, for Undo (engine/undo.h)
  /// The archive is checked and then the live data that it replaces are removed, before it is
  /// loaded. There is no way back then. Not together with keep_old.
  bool in_place = false;
  int threads = 1;  ///< that check the archive (in_place), at least 1
  /// When all selected components that the archive has hold it already by their own records,
  /// nothing is done.
  bool skip_applied = false;
  /// An older archive is refused, held already or not.
  std::optional<AgeLimit> max_age = std::nullopt;
  /// Asked after the preview; false ends the restore with nothing changed.
  std::function<bool(const RestorePreview&)> confirm;
};

struct RestoreReport {
  std::string archive;
  std::string version;                 ///< of a store that keeps versions; else empty
  std::unique_ptr<Manifest> manifest;  ///< as in ArchiveEntry; nullptr for a foreign archive
  std::vector<std::pair<std::string, RestorePlan>> plans;
  std::vector<std::string> left_out;  ///< as in the preview
  std::vector<std::string> not_held;  ///< as in the preview
  std::string passed_over;            ///< as in the preview
  HeldArchives held;                  ///< what the components held before
  /// What the restored, or skipped, components hold at the end; nothing when this run has neither
  /// swapped nor skipped anything.
  std::optional<AppliedArchive> applied;
  bool skipped = false;  ///< as skip_applied says; after a dry run: it would have been
  bool confirmed = false;
  bool swapped = false;                 ///< false after a dry run or a refusal
  std::vector<std::string> components;  ///< that were swapped
  /// Rows, documents or files that were read back before the swap, by component; absent where
  /// nothing counted them last (documents of an oplog).
  std::map<std::string, uint64_t> verified_items;
  TimePoint swapped_at{};
  int64_t swap_ms = 0;                      ///< how long readers or writers were held, all together
  std::vector<std::string> finished_swaps;  ///< of earlier runs, in a sentence each
  std::chrono::milliseconds duration{};
};

/// Restores the selected components of the chosen archive; where the choice leaves it open, of the
/// newest one that holds all of them. An archive beyond max_age is Error(kNotFound), before
/// anything is loaded. `targets`: all of the site, since an interrupted restore has to be finished
/// whole before another begins. Whatever fails before the swap leaves the live site as it was, or,
/// in place, says in its outcome which live data are gone; the next restore in place then succeeds.
/// In place, kept old data of a component that is restored are Error(kUsage). A failing swap is
/// undone; where that fails too, the record stays open and the next backup or restore finishes or
/// undoes it. Throws Error.
RestoreReport Restore(Store& store, RestoreTargets& targets, const RestoreOptions& options,
                      const RunContext& run);

}  // namespace oxbackup
