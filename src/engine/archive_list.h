// What lies in a place of archives: which objects are archives, and what their manifests say.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/manifest.h"
#include "base/error.h"
#include "base/run_context.h"
#include "store/store.h"

namespace oxbackup {

enum class ArchiveState {
  kComplete,      ///< ours; index and manifest agree
  kForeign,       ///< not ours (the predecessor's, any tar): whole as far as its name and tail tell
  kDamaged,       ///< ours, but index or manifest are not what was written
  kUnreadable,    ///< perhaps whole: of a newer format, not readable for this user, a failing disk
  kDeleteMarker,  ///< no archive: it hides the older versions of its name
};

/// An archive in a store, or a version of one.
struct ArchiveEntry {
  ObjectInfo object;
  ArchiveState state = ArchiveState::kComplete;
  /// nullptr unless complete. Without its members and blocks: those of all archives of a place
  /// together are more than memory should hold.
  std::unique_ptr<Manifest> manifest;
  std::string problem;         ///< why it is damaged or unreadable
  std::optional<Error> error;  ///< the same as it was thrown
  /// From the manifest; of another tool's the end of the day in its name; when the object appeared
  /// where there is neither or that is earlier, and where the manifest says that it was
  /// made more than a day after that, by a clock that was wrong.
  TimePoint made{};
  /// `made` is more than a day from now: the store's clock was wrong too, or this machine's is.
  /// Such an archive takes no other's place.
  bool from_future = false;
  /// Of the chosen one: newer ones that lack a part, "NAME (without media) and 2 more", or empty.
  std::string passed_over;

  /// Whether it can be restored as far as can be told without reading it.
  bool IsUsable() const {
    return state == ArchiveState::kComplete || state == ArchiveState::kForeign;
  }
};

/// By how much the clocks of the machine that made an archive, of the store and of this machine may
/// differ.
inline constexpr std::chrono::hours kClocksDiffer{24};

/// Whether a name is that of an archive: *.tar, *.tar.xz, *.tar.zst, *.tar.gz, *.tar.bz2.
bool IsArchiveName(std::string_view name);
/// Whether the object's name is `wanted`, with or without the suffix of an archive.
bool HasName(const ObjectInfo& object, std::string_view wanted);
/// "2026-11-22" of backup.2026-11-22.tar.xz: the local date on which a backup was made. Nothing for
/// a name that somebody chose.
[[nodiscard]] std::optional<std::string> DateInName(std::string_view name);
/// Whether it is a name that a backup takes by itself, backup.DATE or backup.DATE.TIME.
bool IsAutomaticName(std::string_view name);
/// The date of the name, else the local date of the archive's time.
std::string DateOf(const ArchiveEntry& entry);
/// For messages: the name, with the version where it is not what the name alone means.
std::string DescribeObject(const ObjectInfo& object);

/// All archives that a name can mean, by name ascending, of one name newest first: of a store with
/// versions all versions, but none of a name that is deleted.
std::vector<ObjectInfo> LiveArchives(Store& store);

/// Whether a store with versions still has archives that were deleted: for a place in which
/// LiveArchives() finds none.
bool HoldsDeletedArchives(Store& store);

/// Reads the manifests, eight at a time; what cannot be read does not end it. In the order of
/// `objects`, without those that were removed meanwhile.
std::vector<ArchiveEntry> LookAt(Store& store, std::span<const ObjectInfo> objects,
                                 const RunContext& run);

/// All archives of a store, each name's current version, newest first.
std::vector<ArchiveEntry> ListArchives(Store& store, const RunContext& run);

struct VersionList {
  std::vector<ArchiveEntry> newest;  ///< by the time of their storing, newest first
  size_t total = 0;                  ///< how many there are
  bool keeps_versions = false;       ///< else these are the archives themselves
};

/// The `most` newest versions of archives of whatever name, deleted ones and delete markers too.
/// Only their manifests are read.
VersionList ListArchiveVersions(Store& store, size_t most, const RunContext& run);

/// The manifest with its members and blocks. REQUIRES: the entry has one. Throws Error(kNotFound)
/// when the archive is no longer there, and as ReadManifest does.
std::unique_ptr<Manifest> ReadWholeManifest(Store& store, const ArchiveEntry& entry);

/// What to throw when an archive that was there a moment ago is not any more.
Error GoneError(const std::string& name, const Store& store);

}  // namespace oxbackup
