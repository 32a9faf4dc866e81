#include "engine/archive_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <set>

#include "archive/archive_reader.h"
#include "base/clock.h"
#include "base/task_group.h"

namespace oxbackup {
namespace {

constexpr std::array<std::string_view, 5> kArchiveSuffixes = {".tar", ".tar.xz", ".tar.zst",
                                                              ".tar.gz", ".tar.bz2"};

// `form`: 'd' stands for a digit, all else for itself.
bool HasForm(std::string_view text, std::string_view form) {
  return std::ranges::equal(
      text, form, [](char c, char f) { return f == 'd' ? c >= '0' && c <= '9' : c == f; });
}

std::string ProblemOf(const std::string& name, const Error& error) {
  std::string problem = error.what();
  if (problem.find(name) == std::string::npos) problem = name + ": " + problem;
  return error.cause().empty() ? problem : fmt::format("{} ({})", problem, error.cause());
}

// Where a file system tells no time of change, it tells that of an epoch.
constexpr TimePoint kFirstRealTime = std::chrono::sys_days(std::chrono::January / 1 / 2000);

TimePoint TimeOf(const Manifest& manifest, const ObjectInfo& object) {
  const bool known = object.modified >= kFirstRealTime;
  return known && manifest.finished > object.modified + kClocksDiffer ? object.modified
                                                                      : manifest.finished;
}

// When a local date is over; nothing when it is no date.
std::optional<TimePoint> EndOfLocalDate(const std::string& date) {
  std::tm fields{};
  if (std::sscanf(date.c_str(), "%4d-%2d-%2d", &fields.tm_year, &fields.tm_mon, &fields.tm_mday) !=
      3) {
    return std::nullopt;
  }
  fields.tm_year -= 1900;
  fields.tm_mon -= 1;
  fields.tm_isdst = -1;
  std::tm next = fields;
  const TimePoint begin = std::chrono::system_clock::from_time_t(std::mktime(&fields));
  // As mktime makes a date of any numbers.
  if (FormatLocalDate(begin) != date) return std::nullopt;
  ++next.tm_mday;
  return std::chrono::system_clock::from_time_t(std::mktime(&next));
}

// An archive of another tool tells no time but by its name, and may have been copied here long
// after.
TimePoint TimeOfForeign(const ObjectInfo& object) {
  const std::optional<std::string> date = DateInName(object.name);
  const std::optional<TimePoint> end = date ? EndOfLocalDate(*date) : std::nullopt;
  return end ? std::min(*end, object.modified) : object.modified;
}

// Nothing when the object was removed meanwhile.
std::optional<ArchiveEntry> LookAtOne(Store& store, const ObjectInfo& object, TimePoint now) {
  ArchiveEntry entry;
  entry.object = object;
  entry.made = object.modified;
  entry.from_future = entry.made > now + kClocksDiffer;
  if (object.delete_marker) {
    entry.state = ArchiveState::kDeleteMarker;
    return entry;
  }
  try {
    const std::unique_ptr<RangedSource> source = store.Open(object);
    if (source == nullptr) return std::nullopt;
    entry.manifest = ReadManifest(*source);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    entry.state =
        error.kind() == ErrorKind::kCorrupt ? ArchiveState::kDamaged : ArchiveState::kUnreadable;
    entry.problem = ProblemOf(object.name, error);
    entry.error = error;
    return entry;
  }
  if (entry.manifest == nullptr) {
    entry.state = ArchiveState::kForeign;
    entry.made = TimeOfForeign(object);
  } else {
    entry.made = TimeOf(*entry.manifest, object);
    entry.from_future = entry.made > now + kClocksDiffer;
    entry.manifest->DropLists();
  }
  return entry;
}

}  // namespace

bool IsArchiveName(std::string_view name) {
  return std::ranges::any_of(kArchiveSuffixes,
                             [&](std::string_view suffix) { return name.ends_with(suffix); });
}

bool HasName(const ObjectInfo& object, std::string_view wanted) {
  if (object.name == wanted) return true;
  return std::ranges::any_of(kArchiveSuffixes, [&](std::string_view suffix) {
    return object.name == std::string(wanted) + std::string(suffix);
  });
}

std::optional<std::string> DateInName(std::string_view name) {
  constexpr std::string_view kForm = "backup.dddd-dd-dd";
  constexpr size_t kDateAt = 7;
  if (!HasForm(name.substr(0, kForm.size()), kForm)) return std::nullopt;
  return std::string(name.substr(kDateAt, kForm.size() - kDateAt));
}

bool IsAutomaticName(std::string_view name) {
  for (const std::string_view suffix : kArchiveSuffixes) {
    if (!name.ends_with(suffix)) continue;
    const std::string_view stem = name.substr(0, name.size() - suffix.size());
    for (const char* const form :
         {"backup.dddd-dd-dd", "backup.dddd-dd-dd.dddddd", "backup.dddd-dd-dd.dddddd-d"}) {
      if (HasForm(stem, form)) return true;
    }
  }
  return false;
}

std::string DateOf(const ArchiveEntry& entry) {
  return DateInName(entry.object.name).value_or(FormatLocalDate(entry.made));
}

std::string DescribeObject(const ObjectInfo& object) {
  if (object.current) return object.name;
  return fmt::format("{} (version {})", object.name, object.version);
}

std::vector<ObjectInfo> LiveArchives(Store& store) {
  std::vector<ObjectInfo> objects = store.KeepsVersions() ? store.ListVersions() : store.List();
  std::set<std::string> deleted;
  for (const ObjectInfo& object : objects) {
    if (object.current && object.delete_marker) deleted.insert(object.name);
  }
  std::erase_if(objects, [&](const ObjectInfo& object) {
    return !IsArchiveName(object.name) || object.delete_marker || deleted.contains(object.name);
  });
  return objects;
}

bool HoldsDeletedArchives(Store& store) {
  if (!store.KeepsVersions()) return false;
  return std::ranges::any_of(store.ListVersions(), [](const ObjectInfo& object) {
    return IsArchiveName(object.name) && !object.delete_marker && !object.current;
  });
}

std::vector<ArchiveEntry> LookAt(Store& store, std::span<const ObjectInfo> objects,
                                 const RunContext& run) {
  constexpr size_t kAtOnce = 8;
  const TimePoint now = run.clock.Now();
  std::vector<std::optional<ArchiveEntry>> found(objects.size());
  std::atomic<size_t> next = 0;
  TaskGroup readers(run.stop);
  for (size_t reader = 0; reader < std::min(kAtOnce, objects.size()); ++reader) {
    readers.Run([&](const std::stop_token& stop) {
      for (size_t at = next++; at < objects.size() && !stop.stop_requested(); at = next++) {
        found[at] = LookAtOne(store, objects[at], now);
      }
    });
  }
  readers.Wait();
  std::vector<ArchiveEntry> entries;
  for (std::optional<ArchiveEntry>& entry : found) {
    if (entry) entries.push_back(*std::move(entry));
  }
  return entries;
}

std::vector<ArchiveEntry> ListArchives(Store& store, const RunContext& run) {
  std::vector<ObjectInfo> objects = store.List();
  std::erase_if(objects, [](const ObjectInfo& object) { return !IsArchiveName(object.name); });
  std::vector<ArchiveEntry> entries = LookAt(store, objects, run);
  std::ranges::stable_sort(
      entries, [](const ArchiveEntry& a, const ArchiveEntry& b) { return a.made > b.made; });
  return entries;
}

VersionList ListArchiveVersions(Store& store, size_t most, const RunContext& run) {
  VersionList list;
  list.keeps_versions = store.KeepsVersions();
  std::vector<ObjectInfo> objects = store.ListVersions();
  std::erase_if(objects, [](const ObjectInfo& object) { return !IsArchiveName(object.name); });
  // Of one name the store's order counts: versitygw tells whole seconds of a delete marker, which
  // would make it older than what it deletes.
  for (size_t at = objects.size(); at-- > 1;) {
    ObjectInfo& newer = objects[at - 1];
    if (newer.name == objects[at].name) {
      newer.modified = std::max(newer.modified, objects[at].modified);
    }
  }
  std::ranges::stable_sort(
      objects, [](const ObjectInfo& a, const ObjectInfo& b) { return a.modified > b.modified; });
  list.total = objects.size();
  list.newest = LookAt(store, std::span(objects).first(std::min(most, objects.size())), run);
  return list;
}

std::unique_ptr<Manifest> ReadWholeManifest(Store& store, const ArchiveEntry& entry) {
  const std::unique_ptr<RangedSource> source = store.Open(entry.object);
  std::unique_ptr<Manifest> manifest = source == nullptr ? nullptr : ReadManifest(*source);
  if (manifest == nullptr) throw GoneError(entry.object.name, store);
  return manifest;
}

Error GoneError(const std::string& name, const Store& store) {
  return Error(ErrorKind::kNotFound, fmt::format("{} is no longer in {}", name, store.Location()))
      .Hint("openedx-backup list shows what there is");
}

}  // namespace oxbackup
