#include "engine/prune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/text.h"

namespace oxbackup {
namespace {

constexpr std::string_view kPinSuffix = ".keep";

// The rules are applied to each alone.
enum class Group {
  kWhole,
  kPart,     // an older archive holds what it lacks
  kForeign,  // another tool made it
};

// What is known of an archive while it is decided about.
struct Candidate {
  PruneItem* item = nullptr;
  bool hidden = false;  // by a delete marker
  Group group = Group::kWhole;
  std::set<std::string> components = {};

  const ArchiveEntry& entry() const { return item->entry; }
  bool Counts() const {
    return entry().IsUsable() && !entry().from_future && IsAutomaticName(entry().object.name);
  }
  // Whether a restore could take it.
  bool IsForRestores() const {
    return !hidden && !entry().from_future && entry().state == ArchiveState::kComplete;
  }
  void KeepFor(std::string reason) const { item->kept_by.push_back(std::move(reason)); }
};

// The names of a store: which are pinned, and which are hidden.
struct Names {
  std::set<std::string> pinned;
  std::set<std::string> hidden;
};

Names ReadNames(const std::vector<ObjectInfo>& objects) {
  Names names;
  for (const ObjectInfo& object : objects) {
    if (!object.current) continue;
    if (object.delete_marker) {
      names.hidden.insert(object.name);
    } else if (object.name.ends_with(kPinSuffix)) {
      names.pinned.insert(object.name.substr(0, object.name.size() - kPinSuffix.size()));
    }
  }
  return names;
}

// `newest_first`: of all archives.
std::vector<Candidate> MakeCandidates(std::vector<PruneItem>& newest_first, const Names& names) {
  std::vector<Candidate> candidates;
  std::set<std::set<std::string>> older;
  for (auto item = newest_first.rbegin(); item != newest_first.rend(); ++item) {
    Candidate candidate{.item = &*item, .hidden = names.hidden.contains(item->entry.object.name)};
    if (item->entry.state == ArchiveState::kForeign) candidate.group = Group::kForeign;
    if (item->entry.manifest != nullptr) {
      for (const ComponentManifest& component : item->entry.manifest->components) {
        candidate.components.insert(component.name);
      }
      const bool part = std::ranges::any_of(older, [&](const std::set<std::string>& whole) {
        return whole.size() > candidate.components.size() &&
               std::ranges::includes(whole, candidate.components);
      });
      if (part) candidate.group = Group::kPart;
      older.insert(candidate.components);
    }
    candidates.push_back(std::move(candidate));
  }
  std::ranges::reverse(candidates);
  return candidates;
}

// Applies the rules to those of `group`, with or without the hidden ones, and notes what they say
// of the hidden or the other ones.
void ApplyRules(const std::vector<Candidate>& candidates, const RetentionRules& rules, Group group,
                bool hidden) {
  std::vector<const Candidate*> counted;
  std::vector<TimePoint> times;
  for (const Candidate& candidate : candidates) {
    if (!candidate.Counts() || candidate.group != group || (candidate.hidden && !hidden)) continue;
    counted.push_back(&candidate);
    times.push_back(candidate.entry().made);
  }
  const std::vector<std::vector<std::string>> kept = KeptByRules(times, rules);
  for (size_t at = 0; at < counted.size(); ++at) {
    if (counted[at]->hidden != hidden) continue;
    for (const std::string& rule : kept[at]) counted[at]->KeepFor(rule);
  }
}

// The newest ones of ours without which something could not be restored any more.
void KeepNewest(const std::vector<Candidate>& candidates) {
  bool any = false;
  bool whole = false;
  std::set<std::string> held;
  for (const Candidate& candidate : candidates) {
    if (!candidate.IsForRestores()) continue;
    std::vector<std::string> first;
    for (const std::string& name : candidate.components) {
      if (held.insert(name).second) first.push_back(name);
    }
    if (!any) {
      candidate.KeepFor("newest");
    } else if (!whole && candidate.group == Group::kWhole) {
      candidate.KeepFor("newest whole one");
    } else if (!first.empty()) {
      candidate.KeepFor(fmt::format("newest with {}", fmt::join(first, ", ")));
    }
    any = true;
    whole = whole || candidate.group == Group::kWhole;
  }
}

// By a clock that was behind, what was stored last can seem to be the oldest.
void KeepLastStored(const std::vector<Candidate>& candidates) {
  const Candidate* last = nullptr;
  for (const Candidate& candidate : candidates) {
    if (!candidate.IsForRestores() || candidate.group != Group::kWhole) continue;
    const TimePoint stored = candidate.entry().object.modified;
    if (last == nullptr || stored > last->entry().object.modified) last = &candidate;
  }
  if (last != nullptr && last->item->kept_by.empty()) last->KeepFor("stored last");
}

void KeepNewestForeign(const std::vector<Candidate>& candidates) {
  const auto newest = std::ranges::find_if(candidates, [](const Candidate& candidate) {
    return !candidate.hidden && !candidate.entry().from_future &&
           candidate.group == Group::kForeign;
  });
  if (newest != candidates.end()) newest->KeepFor("newest of another tool");
}

void KeepOthers(const Candidate& candidate, const Names& names, bool damaged) {
  const ArchiveEntry& entry = candidate.entry();
  if (!IsAutomaticName(entry.object.name)) candidate.KeepFor("a name of its own");
  if (entry.from_future) candidate.KeepFor("dated in the future");
  if (names.pinned.contains(entry.object.name)) candidate.KeepFor("pinned");
  if (entry.state == ArchiveState::kUnreadable) candidate.KeepFor("cannot be read");
  if (entry.state == ArchiveState::kDamaged && !damaged) {
    candidate.KeepFor("damaged (--damaged removes it)");
  }
}

void KeepLocked(Store& store, PruneItem& item, TimePoint now) {
  const ObjectLock lock = store.LockOf(item.entry.object);
  if (lock.held) item.kept_by.emplace_back("legal hold");
  if (lock.until && *lock.until > now) {
    item.kept_by.push_back("locked until " + FormatLocal(*lock.until));
  }
}

// Whether an object is still the one that was listed. A bucket tells whole seconds of one object
// and fractions in a list.
bool IsSame(const ObjectInfo& now, const ObjectInfo& listed) {
  if (now.size != listed.size || now.etag != listed.etag) return false;
  const auto apart = std::chrono::abs(now.modified - listed.modified);
  return listed.etag.empty() ? apart.count() == 0 : apart < std::chrono::seconds(1);
}

// Adds to `item` what speaks against removing it since it was planned. False when it is gone.
bool LookAgain(Store& store, PruneItem& item, TimePoint now) {
  const ObjectInfo& listed = item.entry.object;
  ObjectId id(listed.name);
  id.version = listed.version;
  const std::optional<ObjectInfo> object = store.Stat(id);
  if (!object) return false;
  if (!IsSame(*object, listed)) {
    item.kept_by.push_back(fmt::format("replaced meanwhile (now {} of {}, then {} of {})",
                                       FormatBytes(object->size), FormatLocal(object->modified),
                                       FormatBytes(listed.size), FormatLocal(listed.modified)));
  }
  if (store.Stat(listed.name + std::string(kPinSuffix))) item.kept_by.emplace_back("pinned");
  KeepLocked(store, item, now);
  return true;
}

bool IsRemoved(const PruneItem& item) { return item.kept_by.empty(); }

uint64_t BytesOf(const std::vector<PruneItem>& items, bool removed) {
  uint64_t bytes = 0;
  for (const PruneItem& item : items) {
    if (IsRemoved(item) == removed) bytes += item.entry.object.size;
  }
  return bytes;
}

// As it is now: it may have been replaced, pinned or locked since it was planned. Whether it was
// removed.
bool RemoveOne(Store& store, PruneItem& item, const RunContext& run) {
  const ObjectInfo& object = item.entry.object;
  const bool there = LookAgain(store, item, run.clock.Now());
  if (!IsRemoved(item)) {
    run.warnings.Add(fmt::format("{} is not removed after all: {}", DescribeObject(object),
                                 fmt::join(item.kept_by, ", ")));
    return false;
  }
  if (!there || !store.Remove(object)) {
    run.log.Info("{} is no longer there: somebody else removed it", DescribeObject(object));
    return false;
  }
  run.log.Info("removed {}, {}", DescribeObject(object), FormatBytes(object.size));
  return true;
}

}  // namespace

size_t PrunePlan::removed() const {
  return static_cast<size_t>(std::ranges::count_if(items, IsRemoved));
}
uint64_t PrunePlan::removed_bytes() const { return BytesOf(items, true); }
uint64_t PrunePlan::kept_bytes() const { return BytesOf(items, false); }

PrunePlan PlanPrune(Store& store, const PruneOptions& options, const RunContext& run) {
  std::vector<ObjectInfo> objects = store.KeepsVersions() ? store.ListVersions() : store.List();
  const Names names = ReadNames(objects);
  std::erase_if(objects, [](const ObjectInfo& object) {
    return object.delete_marker || !IsArchiveName(object.name);
  });
  PrunePlan plan;
  for (ArchiveEntry& entry : LookAt(store, objects, run)) {
    plan.items.push_back({.entry = std::move(entry), .kept_by = {}});
  }
  std::ranges::stable_sort(plan.items, [](const PruneItem& a, const PruneItem& b) {
    return a.entry.made > b.entry.made;
  });
  const std::vector<Candidate> candidates = MakeCandidates(plan.items, names);
  for (const Group group : {Group::kWhole, Group::kPart, Group::kForeign}) {
    for (const bool hidden : {false, true}) ApplyRules(candidates, options.rules, group, hidden);
  }
  KeepNewest(candidates);
  KeepNewestForeign(candidates);
  for (const Candidate& candidate : candidates) KeepOthers(candidate, names, options.damaged);
  KeepLastStored(candidates);
  for (PruneItem& item : plan.items) {
    run.ThrowIfStopped();
    if (IsRemoved(item)) KeepLocked(store, item, run.clock.Now());
  }
  return plan;
}

size_t Prune(Store& store, PrunePlan& plan, const RunContext& run) {
  const size_t planned = plan.removed();
  size_t removed = 0;
  std::optional<Error> refusal;
  try {
    for (auto item = plan.items.rbegin(); item != plan.items.rend(); ++item) {
      if (!IsRemoved(*item)) continue;
      run.ThrowIfStopped();
      try {
        if (RemoveOne(store, *item, run)) ++removed;
      } catch (const Error& error) {
        // Of this one alone, as a lock that a server does not tell of.
        if (error.kind() != ErrorKind::kStore || error.transient()) throw;
        item->kept_by.emplace_back("cannot be removed");
        run.warnings.Add(fmt::format("{} is not removed: {}", DescribeObject(item->entry.object),
                                     error.cause().empty() ? error.what() : error.cause()));
        if (!refusal) refusal = error;
      }
    }
    if (refusal && removed == 0) throw Error(*refusal);
  } catch (Error& error) {
    error.Outcome(fmt::format("{} of {} were removed; the others are still there.", removed,
                              FormatCounted(planned, "archive", "archives")));
    throw;
  }
  return removed;
}

}  // namespace oxbackup
