#include "engine/choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <span>

#include "base/text.h"

namespace oxbackup {
namespace {

std::string_view NoteOf(const ArchiveEntry& entry) {
  if (entry.state == ArchiveState::kDamaged) return " (damaged)";
  if (entry.state == ArchiveState::kUnreadable) return " (unreadable)";
  return entry.from_future ? " (dated in the future)" : "";
}

void SortNewestFirst(std::vector<ArchiveEntry>& entries) {
  std::ranges::stable_sort(
      entries, [](const ArchiveEntry& a, const ArchiveEntry& b) { return a.made > b.made; });
}

std::string DescribeChoices(Store& store, std::span<const ObjectInfo> candidates,
                            const RunContext& run) {
  constexpr size_t kMostNamed = 5;
  if (candidates.empty()) {
    return HoldsDeletedArchives(store)
               ? "all that was there is deleted: openedx-backup list --list-versions shows what a "
                 "restore can still take, by --version"
               : "there is no archive at all";
  }
  std::vector<ArchiveEntry> newest =
      LookAt(store, candidates.first(std::min(kMostNamed, candidates.size())), run);
  SortNewestFirst(newest);
  std::vector<std::string> names;
  for (const ArchiveEntry& entry : newest) {
    names.push_back(DescribeObject(entry.object) + std::string(NoteOf(entry)));
  }
  return fmt::format("there {} {}, the newest: {}", candidates.size() == 1 ? "is" : "are",
                     FormatCounted(candidates.size(), "archive", "archives"),
                     fmt::join(names, ", "));
}

Error DamagedError(const ArchiveEntry& entry) {
  return Error(ErrorKind::kCorrupt,
               fmt::format("{} is damaged or incomplete", DescribeObject(entry.object)))
      .Cause(entry.problem)
      .Hint(
          "choose another archive (openedx-backup list shows them); what lies before the damage, "
          "`xz -dc FILE | tar -x` (or zstd -dc) gets out");
}

// The object of that name, or else the only one that has it before its suffix.
ObjectInfo FindByName(Store& store, const std::string& name) {
  std::vector<ObjectInfo> found;
  for (ObjectInfo& object : store.List()) {
    if (object.name == name) return object;
    if (HasName(object, name)) found.push_back(std::move(object));
  }
  if (found.empty()) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("there is no archive '{}' in {}", name, store.Location()))
        .Hint("openedx-backup list shows what there is");
  }
  if (found.size() > 1) {
    std::vector<std::string> names;
    for (const ObjectInfo& object : found) names.push_back(object.name);
    throw Error(ErrorKind::kUsage,
                fmt::format("'{}' can be any of {} archives in {}: {}", name, found.size(),
                            store.Location(), fmt::join(names, ", ")))
        .Hint("name the one that is meant with its suffix");
  }
  return std::move(found.front());
}

Error NoSuchVersion(const std::string& what, const Store& store) {
  return Error(ErrorKind::kNotFound, fmt::format("{} in {}", what, store.Location()))
      .Hint("openedx-backup list --list-versions shows what there is");
}

// The archive's version of that id; the name decides where several objects have one of it, as those
// that are older than the versioning of their bucket do ("null").
ObjectInfo FindByVersion(Store& store, const std::string& version,
                         const std::optional<std::string>& name) {
  if (!store.KeepsVersions()) {
    throw NoSuchVersion(fmt::format("there is no version '{}'", version), store)
        .Cause("this place keeps no versions of its archives");
  }
  std::vector<ObjectInfo> found = store.ListVersions();
  std::erase_if(found, [&](const ObjectInfo& object) {
    return object.version != version || !IsArchiveName(object.name);
  });
  if (found.empty()) {
    throw NoSuchVersion(fmt::format("there is no archive of the version '{}'", version), store);
  }
  const std::string other = found.front().name;
  if (name) std::erase_if(found, [&](const ObjectInfo& object) { return !HasName(object, *name); });
  if (found.empty()) {
    throw NoSuchVersion(fmt::format("'{}' has no version '{}' ({} has)", *name, version, other),
                        store);
  }
  if (found.size() > 1) {
    throw Error(ErrorKind::kUsage, fmt::format("{} archives in {} have a version '{}'",
                                               found.size(), store.Location(), version))
        .Hint("name the one that is meant too: --name NAME --version " + version);
  }
  if (found.front().delete_marker) {
    throw NoSuchVersion(fmt::format("the version '{}' of {} is the mark of a deletion and holds "
                                    "nothing; the archive is one of the older versions",
                                    version, found.front().name),
                        store);
  }
  return std::move(found.front());
}

ArchiveEntry ReadChosen(Store& store, const ObjectInfo& object, const RunContext& run) {
  std::vector<ArchiveEntry> entries = LookAt(store, std::span(&object, 1), run);
  if (entries.empty()) throw GoneError(object.name, store);
  ArchiveEntry entry = std::move(entries.front());
  if (entry.state == ArchiveState::kDamaged) throw DamagedError(entry);
  if (entry.state == ArchiveState::kUnreadable) throw Error(*entry.error);
  return entry;
}

ArchiveEntry ChooseByVersion(Store& store, const ArchiveChoice& choice, const RunContext& run) {
  const ObjectInfo object = FindByVersion(store, *choice.version, choice.name);
  ArchiveEntry entry = ReadChosen(store, object, run);
  if (choice.date && DateOf(entry) != *choice.date) {
    throw NoSuchVersion(fmt::format("the version '{}' is of {}, an archive of {}, not of {}",
                                    *choice.version, object.name, DateOf(entry), *choice.date),
                        store);
  }
  return entry;
}

// An older archive must not be taken silently for one that is perhaps whole.
Error UnreadableError(const ArchiveEntry& entry, const Store& store) {
  Error error = *entry.error;
  error.While(
      fmt::format("choosing {}, the newest that fits in {} (--name or --date choose another)",
                  DescribeObject(entry.object), store.Location()));
  return error;
}

// Which of the components an archive lacks.
std::vector<std::string> LackedBy(const ArchiveEntry& entry,
                                  const std::set<std::string>& components) {
  std::vector<std::string> lacked;
  if (entry.manifest == nullptr) return lacked;
  for (const std::string& name : components) {
    if (entry.manifest->Find(name) == nullptr) lacked.push_back(name);
  }
  return lacked;
}

bool CanBeChosen(const ArchiveEntry& entry) { return entry.IsUsable() && !entry.from_future; }

// Any tar of another tool, which mostly is no backup of a site at all.
bool IsStray(const ArchiveEntry& entry) {
  return entry.state == ArchiveState::kForeign && !DateInName(entry.object.name);
}

bool HoldsAll(const ArchiveEntry& entry, const ArchiveChoice& choice) {
  return CanBeChosen(entry) && !IsStray(entry) && LackedBy(entry, choice.components).empty();
}

// Whether an archive that has not been looked at can be of that date.
bool CanBeOf(const std::string& date, const ObjectInfo& object) {
  const std::optional<std::string> named = DateInName(object.name);
  return named ? *named == date : FormatLocalDate(object.modified + kClocksDiffer) >= date;
}

// Those that fit and have been looked at, newest first: all that can be as new as the newest that
// holds everything. `candidates`: the ones that were stored last first.
std::vector<ArchiveEntry> LookForNewest(Store& store, std::span<const ObjectInfo> candidates,
                                        const ArchiveChoice& choice, const RunContext& run) {
  std::vector<ArchiveEntry> seen;
  std::optional<TimePoint> best;
  size_t step = 1;
  while (!candidates.empty()) {
    const auto too_old = std::ranges::find_if(candidates, [&](const ObjectInfo& object) {
      return best && object.modified + kClocksDiffer < *best;
    });
    const auto left = static_cast<size_t>(too_old - candidates.begin());
    if (left == 0) break;
    const size_t now = best ? left : std::min(left, step);
    for (ArchiveEntry& entry : LookAt(store, candidates.first(now), run)) {
      if (choice.date && DateOf(entry) != *choice.date) continue;
      if (HoldsAll(entry, choice) && (!best || entry.made > *best)) best = entry.made;
      seen.push_back(std::move(entry));
    }
    candidates = candidates.subspan(now);
    // The newest one mostly fits; where it does not, many may have to be asked.
    constexpr size_t kLongestStep = 16;
    step = std::min(step * 2, kLongestStep);
  }
  SortNewestFirst(seen);
  return seen;
}

// The newest usable one that has all components, else the newest usable one, strays last of all;
// else the end.
std::vector<ArchiveEntry>::iterator FindNewest(std::vector<ArchiveEntry>& entries,
                                               const ArchiveChoice& choice) {
  const auto whole = std::ranges::find_if(
      entries, [&](const ArchiveEntry& entry) { return HoldsAll(entry, choice); });
  if (whole != entries.end()) return whole;
  const auto newest = std::ranges::find_if(
      entries, [](const ArchiveEntry& entry) { return CanBeChosen(entry) && !IsStray(entry); });
  return newest != entries.end() ? newest : std::ranges::find_if(entries, CanBeChosen);
}

// Why newer archives, those before `chosen`, are not the chosen one: a warning for each that is
// damaged or dated in the future, a line of the log for each stray, a text for those that lack a
// part.
std::string PassOver(std::vector<ArchiveEntry>::const_iterator begin,
                     std::vector<ArchiveEntry>::const_iterator chosen,
                     const std::set<std::string>& components, const Store& store,
                     const RunContext& run) {
  std::string newest;
  size_t partial = 0;
  for (auto entry = begin; entry != chosen; ++entry) {
    if (entry->from_future) {
      run.warnings.Add(fmt::format(
          "an archive is passed over: {} is dated in the future ({}): a clock was wrong, where it "
          "was made and stored or here (--name {} takes it all the same)",
          DescribeObject(entry->object), FormatLocal(entry->made), entry->object.name));
      continue;
    }
    if (entry->state == ArchiveState::kUnreadable) throw UnreadableError(*entry, store);
    if (entry->state == ArchiveState::kDamaged) {
      run.warnings.Add(fmt::format("an archive is passed over: {}", entry->problem));
      continue;
    }
    if (IsStray(*entry)) {
      run.log.Info(
          "{} is passed over: another tool made it, and its name is no backup.DATE (--name takes "
          "it all the same)",
          DescribeObject(entry->object));
      continue;
    }
    if (partial++ > 0) continue;
    newest = fmt::format("{} (without {})", DescribeObject(entry->object),
                         fmt::join(LackedBy(*entry, components), ", "));
  }
  return partial > 1 ? fmt::format("{} and {} more", newest, partial - 1) : newest;
}

}  // namespace

ArchiveEntry ChooseArchive(Store& store, const ArchiveChoice& choice, const RunContext& run) {
  if (choice.version) return ChooseByVersion(store, choice, run);
  if (choice.name) return ReadChosen(store, FindByName(store, *choice.name), run);
  std::vector<ObjectInfo> all = LiveArchives(store);
  std::ranges::stable_sort(
      all, [](const ObjectInfo& a, const ObjectInfo& b) { return a.modified > b.modified; });
  std::vector<ObjectInfo> candidates = all;
  if (choice.date) {
    std::erase_if(candidates,
                  [&](const ObjectInfo& object) { return !CanBeOf(*choice.date, object); });
  }
  std::vector<ArchiveEntry> entries = LookForNewest(store, candidates, choice, run);
  const auto chosen = FindNewest(entries, choice);
  std::string passed_over = PassOver(entries.begin(), chosen, choice.components, store, run);
  if (chosen == entries.end()) {
    const std::string wanted = choice.date ? " of " + *choice.date : "";
    throw Error(ErrorKind::kNotFound,
                fmt::format("there is no complete archive{} in {}", wanted, store.Location()))
        .Cause(DescribeChoices(store, all, run))
        .Hint("openedx-backup list shows what there is, --name takes one of them");
  }
  if (!passed_over.empty()) {
    run.log.Info(
        "{} is taken, the newest that holds everything asked for; newer: {} (--name takes it all "
        "the same, --only and --exclude choose what an archive has to hold)",
        chosen->object.name, passed_over);
  }
  chosen->passed_over = std::move(passed_over);
  return std::move(*chosen);
}

}  // namespace oxbackup
