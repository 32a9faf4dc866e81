#include "engine/location.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "archive/archive_reader.h"
#include "base/error.h"
#include "base/text.h"
#include "store/local/local_store.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kArchiveSuffixes = {".tar", ".tar.xz", ".tar.zst",
                                                              ".tar.gz", ".tar.bz2"};

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

bool IsDate(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-dd";
  return std::ranges::equal(text, kForm, [](char c, char form) {
    return form == 'd' ? c >= '0' && c <= '9' : c == form;
  });
}

// The date of the name, which is the local date on which the backup was made; without one in the
// name the local date of its time.
std::string DateOf(const ArchiveEntry& entry) {
  constexpr std::string_view kPrefix = "backup.";
  constexpr size_t kDateSize = 10;
  const std::string& name = entry.object.name;
  if (name.starts_with(kPrefix)) {
    const std::string date = name.substr(kPrefix.size(), kDateSize);
    if (IsDate(date)) return date;
  }
  return FormatLocalDate(entry.made);
}

ArchiveEntry Inspect(Store& store, const ObjectInfo& object) {
  ArchiveEntry entry;
  entry.object = object;
  entry.made = object.modified;
  const std::unique_ptr<RangedSource> source = store.Open(object.name);
  if (source == nullptr) {
    entry.state = ArchiveState::kDamaged;
    entry.problem = entry.object.name + " was removed while the archives were listed";
    return entry;
  }
  try {
    entry.manifest = ReadManifest(*source);
  } catch (const Error& error) {
    entry.state = ArchiveState::kDamaged;
    entry.problem = error.what();
    if (entry.problem.find(entry.object.name) == std::string::npos) {
      entry.problem = entry.object.name + ": " + entry.problem;
    }
    return entry;
  }
  if (entry.manifest == nullptr) {
    entry.state = ArchiveState::kForeign;
  } else {
    entry.made = entry.manifest->finished;
  }
  return entry;
}

std::string DescribeChoices(const std::vector<ArchiveEntry>& entries) {
  constexpr size_t kMostNamed = 5;
  if (entries.empty()) return "there is no archive at all";
  std::vector<std::string> names;
  for (const ArchiveEntry& entry : entries) {
    if (names.size() == kMostNamed) break;
    names.push_back(entry.object.name +
                    (entry.state == ArchiveState::kDamaged ? " (damaged)" : ""));
  }
  return fmt::format("there {} {}, the newest: {}", entries.size() == 1 ? "is" : "are",
                     FormatCounted(entries.size(), "archive", "archives"), fmt::join(names, ", "));
}

Error DamagedError(const ArchiveEntry& entry) {
  return Error(ErrorKind::kCorrupt, fmt::format("{} is damaged or incomplete", entry.object.name))
      .Cause(entry.problem)
      .Hint(
          "choose another archive (openedx-backup list shows them); what can still be read of this "
          "one, `tar --ignore-zeros -xf` gets out");
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

ArchiveEntry ChooseByName(Store& store, const std::string& name) {
  ArchiveEntry entry = Inspect(store, FindByName(store, name));
  if (entry.state == ArchiveState::kDamaged) throw DamagedError(entry);
  return entry;
}

}  // namespace

Location OpenLocation(const std::string& text) {
  if (text.empty()) {
    throw Error(ErrorKind::kUsage, "no place for archives is given")
        .Hint("pass --to/--from with a folder, or set BACKUP_LOCATION");
  }
  std::error_code ignored;
  const fs::path path(text);
  if (fs::is_regular_file(path, ignored)) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    return Location{std::make_unique<LocalStore>(folder), path.filename().string()};
  }
  if (fs::is_directory(path, ignored)) return Location{std::make_unique<LocalStore>(path), {}};
  throw Error(ErrorKind::kNotFound, fmt::format("there is no folder or archive '{}'", text))
      .Hint(
          "check the spelling and that the disk is mounted; a folder for archives is not created "
          "by itself");
}

std::vector<ArchiveEntry> ListArchives(Store& store, const RunContext& run) {
  std::vector<ArchiveEntry> entries;
  for (const ObjectInfo& object : store.List()) {
    run.ThrowIfStopped();
    if (IsArchiveName(object.name)) entries.push_back(Inspect(store, object));
  }
  std::ranges::stable_sort(
      entries, [](const ArchiveEntry& a, const ArchiveEntry& b) { return a.made > b.made; });
  return entries;
}

ArchiveEntry ChooseArchive(Store& store, const ArchiveChoice& choice, const RunContext& run) {
  if (choice.name) return ChooseByName(store, *choice.name);
  std::vector<ArchiveEntry> entries = ListArchives(store, run);
  const std::string available = DescribeChoices(entries);
  for (ArchiveEntry& entry : entries) {
    if (choice.date && DateOf(entry) != *choice.date) continue;
    if (entry.state == ArchiveState::kDamaged) {
      run.warnings.Add(fmt::format("an archive is passed over: {}", entry.problem));
      continue;
    }
    return std::move(entry);
  }
  const std::string wanted = choice.date ? " of " + *choice.date : "";
  throw Error(ErrorKind::kNotFound,
              fmt::format("there is no complete archive{} in {}", wanted, store.Location()))
      .Cause(available)
      .Hint("openedx-backup list shows what there is");
}

std::vector<std::string> NewArchiveNames(const std::optional<std::string>& name,
                                         std::string_view suffix, TimePoint now) {
  if (name) {
    if (name->empty() || name->front() == '.' || name->find('/') != std::string::npos) {
      throw Error(ErrorKind::kUsage, fmt::format("'{}' cannot be an archive's name", *name))
          .Hint("a name has no '/' and does not begin with '.', e.g. --name before-upgrade");
    }
    return {name->ends_with(suffix) ? *name : *name + std::string(suffix)};
  }
  const std::string date = FormatLocalDate(now);
  const std::string time = FormatLocalTimeOfDay(now);
  constexpr int kTriesInOneSecond = 9;
  std::vector<std::string> names = {fmt::format("backup.{}{}", date, suffix),
                                    fmt::format("backup.{}.{}{}", date, time, suffix)};
  for (int i = 2; i <= kTriesInOneSecond; ++i) {
    names.push_back(fmt::format("backup.{}.{}-{}{}", date, time, i, suffix));
  }
  return names;
}

void CheckSomeNameIsFree(Store& store, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!store.Stat(name)) return;
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("{} already has {}", store.Location(), fmt::join(names, ", ")))
      .Hint("name the new archive otherwise (--name), or remove that one first");
}

}  // namespace oxbackup
