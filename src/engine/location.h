// Places where archives live, and the names of new ones.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/environment.h"
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

/// Opens `text` as a folder, as an archive file in one, or as s3://BUCKET[/FOLDER][/ARCHIVE].
/// Throws Error(kUsage) when it is empty or impossible, and Error(kNotFound) when there is no such
/// folder or file; a bucket is not asked yet. What `run` refers to has to outlive the store.
Location OpenLocation(const std::string& text, const BucketAccess& access, const RunContext& run);

/// Throws Error(kUsage) when the archives lie in a folder of a selected component: a restore that
/// replaces the folder would remove all of them, and each backup would hold those before it and
/// itself. Also when one folder of selected components lies in another one, or is it.
void CheckApart(const Location& location, const Site& site, const ComponentSelection& selection);

/// Names for a new archive, in the order in which they are tried: `backup.DATE<suffix>`, then with
/// the time of day, so that a second backup of a day never replaces the first. `name`: when given,
/// the only one (the suffix is added when it lacks it). Throws Error(kUsage) for a name with '/', a
/// control character or a leading '.'.
std::vector<std::string> NewArchiveNames(const std::optional<std::string>& name,
                                         std::string_view suffix, TimePoint now);

/// The first of `names` that is free. Throws Error(kUsage) when all are taken, hours before the new
/// archive's Finish would find it out (which stays the authority: names can be taken meanwhile).
std::string FirstFreeName(Store& store, const std::vector<std::string>& names);

}  // namespace oxbackup
