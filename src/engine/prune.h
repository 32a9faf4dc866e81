// Removing old archives: which, by the rules of retention.h and by what must never go away.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "engine/archive_list.h"
#include "engine/retention.h"
#include "store/store.h"

namespace oxbackup {

struct PruneOptions {
  RetentionRules rules;
  bool damaged = false;  ///< remove damaged archives of ours too
};

struct PruneItem {
  ArchiveEntry entry;
  /// Why it stays, for people; empty: it is to be removed.
  std::vector<std::string> kept_by;
};

struct PrunePlan {
  std::vector<PruneItem> items;  ///< all archives, newest first

  size_t removed() const;
  uint64_t removed_bytes() const;
  uint64_t kept_bytes() const;
};

/// Reads the manifests of all archives of the store and decides. In a store with versions each
/// version is an archive of its own; one that a deletion hides takes no other's place, and stays as
/// long as the rules would keep it if it were not hidden. Delete markers are left alone.
/// An archive that lacks a component of an older one is of a part of the site: the rules keep parts
/// and whole ones separately, so that no part takes the place of a whole one. What another tool
/// made is a group of its own too: nobody knows whether it can be restored.
/// Always kept: the newest complete one of ours, the newest whole one, the newest one with each
/// component, the newest one of another tool, those that are dated in the future (which count for
/// nothing), those with a name that somebody chose, those beside
/// which an object NAME.keep lies, those that the store has locked, those that cannot be read and,
/// unless `damaged`, damaged ones. REQUIRES: there is a rule.
PrunePlan PlanPrune(Store& store, const PruneOptions& options, const RunContext& run);

/// Removes what the plan says, the oldest first, of a store with versions exactly that version.
/// Each is looked at again right before: one that was replaced, pinned or locked since it was
/// planned stays, with a warning, and the plan then says why. What somebody else has removed
/// meanwhile is passed over. One whose removal the store refuses, as some do for locks that they do
/// not tell of, stays with a warning too; when all are refused, that is the error. An error or a
/// stop ends it; its outcome says how many had been removed. Returns how many were.
size_t Prune(Store& store, PrunePlan& plan, const RunContext& run);

}  // namespace oxbackup
