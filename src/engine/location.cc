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
#include "store/s3/s3_store.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBucketScheme = "s3://";
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

std::string ProblemOf(const std::string& name, const Error& error) {
  std::string problem = error.what();
  if (problem.find(name) == std::string::npos) problem = name + ": " + problem;
  return error.cause().empty() ? problem : fmt::format("{} ({})", problem, error.cause());
}

Location OpenBucket(const std::string& text, const BucketAccess& access, const RunContext& run) {
  const std::vector<std::string> parts = SplitNonEmpty(text.substr(kBucketScheme.size()), "/");
  std::string folder;
  std::optional<std::string> name;
  for (size_t i = 1; i < parts.size(); ++i) {
    if (i + 1 == parts.size() && IsArchiveName(parts[i])) {
      name = parts[i];
    } else {
      folder += (folder.empty() ? "" : "/") + parts[i];
    }
  }
  const std::string bucket = parts.empty() ? access.bucket : parts.front();
  return {s3::MakeS3Store(access.settings, bucket, folder, access.environment, run), name, {}};
}

// Nothing when the object was removed meanwhile.
std::optional<ArchiveEntry> Inspect(Store& store, const ObjectInfo& object) {
  ArchiveEntry entry;
  entry.object = object;
  entry.made = object.modified;
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
  } else {
    entry.made = entry.manifest->finished;
    entry.manifest->DropLists();
  }
  return entry;
}

std::string_view NoteOf(ArchiveState state) {
  if (state == ArchiveState::kDamaged) return " (damaged)";
  return state == ArchiveState::kUnreadable ? " (unreadable)" : "";
}

std::string DescribeChoices(const std::vector<ArchiveEntry>& entries) {
  constexpr size_t kMostNamed = 5;
  if (entries.empty()) return "there is no archive at all";
  std::vector<std::string> names;
  for (const ArchiveEntry& entry : entries) {
    if (names.size() == kMostNamed) break;
    names.push_back(fmt::format("{}{}", entry.object.name, NoteOf(entry.state)));
  }
  return fmt::format("there {} {}, the newest: {}", entries.size() == 1 ? "is" : "are",
                     FormatCounted(entries.size(), "archive", "archives"), fmt::join(names, ", "));
}

Error DamagedError(const ArchiveEntry& entry) {
  return Error(ErrorKind::kCorrupt, fmt::format("{} is damaged or incomplete", entry.object.name))
      .Cause(entry.problem)
      .Hint(
          "choose another archive (openedx-backup list shows them); what lies before the damage, "
          "`xz -dc FILE | tar -x` (or zstd -dc) gets out");
}

// Whether `folder` is `root` or lies below it, whatever links and mounts lead there.
bool IsWithin(const fs::path& folder, const fs::path& root) {
  std::error_code ignored;
  for (fs::path at = fs::canonical(folder, ignored); !at.empty(); at = at.parent_path()) {
    if (fs::equivalent(at, root, ignored)) return true;
    if (at == at.parent_path()) break;
  }
  return false;
}

// The folders that hold what a location names: a file may be a link to another folder.
std::vector<fs::path> FoldersOf(const Location& location) {
  if (!location.name) return {location.path};
  std::error_code ignored;
  return {location.store->Location(), fs::canonical(location.path, ignored).parent_path()};
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
  const ObjectInfo object = FindByName(store, name);
  std::optional<ArchiveEntry> entry = Inspect(store, object);
  if (!entry) throw GoneError(object.name, store);
  if (entry->state == ArchiveState::kDamaged) throw DamagedError(*entry);
  if (entry->state == ArchiveState::kUnreadable) throw Error(*entry->error);
  return *std::move(entry);
}

// An older archive must not be taken silently for one that is perhaps whole.
Error UnreadableError(const ArchiveEntry& entry, const Store& store) {
  Error error = *entry.error;
  error.While(
      fmt::format("choosing {}, the newest that fits in {} (--name or --date choose another)",
                  entry.object.name, store.Location()));
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

bool IsUsable(const ArchiveEntry& entry) {
  return entry.state == ArchiveState::kComplete || entry.state == ArchiveState::kForeign;
}

// The newest usable one that has all components, else the newest usable one, else the end.
std::vector<ArchiveEntry>::iterator FindNewest(std::vector<ArchiveEntry>& entries,
                                               const std::set<std::string>& components) {
  const auto whole = std::ranges::find_if(entries, [&](const ArchiveEntry& entry) {
    return IsUsable(entry) && LackedBy(entry, components).empty();
  });
  return whole != entries.end() ? whole : std::ranges::find_if(entries, IsUsable);
}

// Why newer archives, those before `chosen`, are not the chosen one: a warning for each that is
// damaged, a text for those that lack a part.
std::string PassOver(std::vector<ArchiveEntry>::const_iterator begin,
                     std::vector<ArchiveEntry>::const_iterator chosen,
                     const std::set<std::string>& components, const Store& store,
                     const RunContext& run) {
  std::string newest;
  size_t partial = 0;
  for (auto entry = begin; entry != chosen; ++entry) {
    if (entry->state == ArchiveState::kUnreadable) throw UnreadableError(*entry, store);
    if (entry->state == ArchiveState::kDamaged) {
      run.warnings.Add(fmt::format("an archive is passed over: {}", entry->problem));
      continue;
    }
    if (partial++ > 0) continue;
    newest = fmt::format("{} (without {})", entry->object.name,
                         fmt::join(LackedBy(*entry, components), ", "));
  }
  return partial > 1 ? fmt::format("{} and {} more", newest, partial - 1) : newest;
}

}  // namespace

Error GoneError(const std::string& name, const Store& store) {
  return Error(ErrorKind::kNotFound, fmt::format("{} is no longer in {}", name, store.Location()))
      .Hint("openedx-backup list shows what there is");
}

Location OpenLocation(const std::string& text, const BucketAccess& access, const RunContext& run) {
  if (text.empty()) {
    throw Error(ErrorKind::kUsage, "no place for archives is given")
        .Hint("pass --to/--from with a folder or s3://BUCKET, or set BACKUP_LOCATION");
  }
  if (text.starts_with(kBucketScheme)) return OpenBucket(text, access, run);
  std::error_code ignored;
  const fs::path path(text);
  if (fs::is_regular_file(path, ignored)) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    return Location{std::make_unique<LocalStore>(folder), path.filename().string(), path};
  }
  if (fs::is_directory(path, ignored))
    return Location{std::make_unique<LocalStore>(path), {}, path};
  throw Error(ErrorKind::kNotFound, fmt::format("there is no folder or archive '{}'", text))
      .Hint(
          "check the spelling and that the disk is mounted; a folder for archives is not created "
          "by itself");
}

void CheckApart(const Location& location, const Site& site, const ComponentSelection& selection) {
  if (location.path.empty()) return;
  for (const char* const component : {"caddy", "media"}) {
    if (!site.Has(component) || !selection.Includes(component)) continue;
    for (const files::Tree& tree : TreesOf(site, component)) {
      for (const fs::path& folder : FoldersOf(location)) {
        if (!IsWithin(folder, tree.path)) continue;
        throw Error(ErrorKind::kUsage,
                    fmt::format("the archives in {} lie in {}, which is a part of the site ({})",
                                folder.string(), tree.path.string(), component))
            .Cause(
                "a restore would remove them with the folder that it replaces, and a backup would "
                "hold all those before it and itself")
            .Hint(fmt::format("keep archives outside of {}, or leave it out: --exclude {}",
                              tree.path.string(), component));
      }
    }
  }
}

std::vector<ArchiveEntry> ListArchives(Store& store, const RunContext& run) {
  std::vector<ArchiveEntry> entries;
  for (const ObjectInfo& object : store.List()) {
    run.ThrowIfStopped();
    if (!IsArchiveName(object.name)) continue;
    if (std::optional<ArchiveEntry> entry = Inspect(store, object)) {
      entries.push_back(*std::move(entry));
    }
  }
  std::ranges::stable_sort(
      entries, [](const ArchiveEntry& a, const ArchiveEntry& b) { return a.made > b.made; });
  return entries;
}

ArchiveEntry ChooseArchive(Store& store, const ArchiveChoice& choice, const RunContext& run) {
  if (choice.name) return ChooseByName(store, *choice.name);
  std::vector<ArchiveEntry> entries = ListArchives(store, run);
  const std::string available = DescribeChoices(entries);
  if (choice.date) {
    std::erase_if(entries,
                  [&](const ArchiveEntry& entry) { return DateOf(entry) != *choice.date; });
  }
  const auto chosen = FindNewest(entries, choice.components);
  std::string passed_over = PassOver(entries.begin(), chosen, choice.components, store, run);
  if (chosen != entries.end()) {
    if (!passed_over.empty()) {
      run.log.Info(
          "{} is taken, the newest that holds everything asked for; newer: {} (--name takes it all "
          "the same, --only and --exclude choose what an archive has to hold)",
          chosen->object.name, passed_over);
    }
    chosen->passed_over = std::move(passed_over);
    return std::move(*chosen);
  }
  const std::string wanted = choice.date ? " of " + *choice.date : "";
  throw Error(ErrorKind::kNotFound,
              fmt::format("there is no complete archive{} in {}", wanted, store.Location()))
      .Cause(available)
      .Hint("openedx-backup list shows what there is");
}

std::unique_ptr<Manifest> ReadWholeManifest(Store& store, const ArchiveEntry& entry) {
  const std::unique_ptr<RangedSource> source = store.Open(entry.object);
  std::unique_ptr<Manifest> manifest = source == nullptr ? nullptr : ReadManifest(*source);
  if (manifest == nullptr) throw GoneError(entry.object.name, store);
  return manifest;
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

std::string FirstFreeName(Store& store, const std::vector<std::string>& names) {
  if (store.KeepsVersions()) return names.front();
  for (const std::string& name : names) {
    if (!store.Stat(name)) return name;
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("{} already has {}", store.Location(), fmt::join(names, ", ")))
      .Hint("name the new archive otherwise (--name), or remove that one first");
}

}  // namespace oxbackup
