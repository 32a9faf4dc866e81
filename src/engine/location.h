// Places where archives live, and which of the archives there a command means.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/manifest.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/run_context.h"
#include "engine/site.h"
#include "store/s3/settings.h"
#include "store/store.h"

namespace oxbackup {

/// A store, and the object in it when the location named one archive.
struct Location {
  std::unique_ptr<Store> store;
  std::optional<std::string> name;
  std::filesystem::path path;  ///< of the folder, or of the archive; empty for a bucket
};

/// How buckets are reached.
struct BucketAccess {
  s3::Settings settings;
  std::string bucket;  ///< that "s3://" means, without a name; may be empty
  Environment environment;
};

/// Opens `text` as a folder, as an archive file in one, or as s3://BUCKET[/FOLDER][/ARCHIVE]. Throws
/// Error(kUsage) when it is empty or impossible, and Error(kNotFound) when there is no such folder
/// or file; a bucket is not asked yet. What `run` refers to has to outlive the store.
Location OpenLocation(const std::string& text, const BucketAccess& access, const RunContext& run);

/// Throws Error(kUsage) when the archives lie in a folder of a selected component: a restore that
/// replaces the folder would remove all of them, and each backup would hold those before it and
/// itself.
void CheckApart(const Location& location, const Site& site, const ComponentSelection& selection);

/// Which archive of a store is meant: the one of that name (with or without its suffix), else the
/// newest complete one, of that local date if there is one, that holds all of `components`, or the
/// newest one where none does.
struct ArchiveChoice {
  std::optional<std::string> name = {};
  std::optional<std::string> date = {};  ///< YYYY-MM-DD
  std::set<std::string> components = {};
};

enum class ArchiveState {
  kComplete,    ///< ours; index and manifest agree
  kForeign,     ///< not ours (the predecessor's, any tar): whole as far as its name and tail tell
  kDamaged,     ///< ours, but index or manifest are not what was written
  kUnreadable,  ///< perhaps whole: of a newer format, not readable for this user, a failing disk
};

/// An archive in a store.
struct ArchiveEntry {
  ObjectInfo object;
  ArchiveState state = ArchiveState::kComplete;
  /// nullptr unless complete. Without its members and blocks: those of all archives of a place
  /// together are more than memory should hold.
  std::unique_ptr<Manifest> manifest;
  std::string problem;         ///< why it is damaged or unreadable
  std::optional<Error> error;  ///< the same as it was thrown
  TimePoint made{};            ///< from the manifest, else when the object appeared
  /// Of the chosen one: newer ones that lack a part, "NAME (without media) and 2 more", or empty.
  std::string passed_over;
};

/// All archives of a store, newest first. Objects whose name is not that of an archive (*.tar,
/// *.tar.xz, *.tar.zst, *.tar.gz, *.tar.bz2) are passed over. One that cannot be read does not end
/// it.
std::vector<ArchiveEntry> ListArchives(Store& store, const RunContext& run);

/// Throws Error(kNotFound), saying what there is instead, when no complete archive fits,
/// Error(kUsage) when a name without its suffix fits several, and Error(kCorrupt) when the one that
/// was named is damaged. A newer one that is passed over since it is damaged is a warning of the
/// run, one that lacks a component a line of the log, since the one that is chosen is whole; a
/// newer one that cannot be read is not passed over: its error is thrown. What an archive of
/// another tool holds is not known: it is taken as if it held all.
ArchiveEntry ChooseArchive(Store& store, const ArchiveChoice& choice, const RunContext& run);

/// The manifest with its members and blocks. REQUIRES: the entry has one. Throws Error(kNotFound)
/// when the archive is no longer there, and as ReadManifest does.
std::unique_ptr<Manifest> ReadWholeManifest(Store& store, const ArchiveEntry& entry);

/// Names for a new archive, in the order in which they are tried: `backup.DATE<suffix>`, then with
/// the time of day, so that a second backup of a day never replaces the first. `name`: when given,
/// the only one (the suffix is added when it lacks it). Throws Error(kUsage) for a name with '/' or
/// a leading '.'.
std::vector<std::string> NewArchiveNames(const std::optional<std::string>& name,
                                         std::string_view suffix, TimePoint now);

/// What to throw when an archive that was there a moment ago is not any more.
Error GoneError(const std::string& name, const Store& store);

/// The first of `names` that is free. Throws Error(kUsage) when all are taken, hours before the new
/// archive's Finish would find it out (which stays the authority: names can be taken meanwhile).
std::string FirstFreeName(Store& store, const std::vector<std::string>& names);

}  // namespace oxbackup
