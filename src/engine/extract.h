// Extraction: an archive's content as mysqldump and mongodump would have written it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/site.h"
#include "store/store.h"

namespace oxbackup {

struct ExtractReport {
  uint64_t files = 0;
  uint64_t bytes = 0;
};

/// Writes the archive's selected components below `folder`, which must not exist or be empty:
/// `data/mysql_dump.sql` (one script; accounts apart in `data/mysql_accounts.sql`),
/// `data/mongodb_dump/<db>/<collection>.bson` and
/// `.metadata.json` (parts joined), `data/caddy/…`, `data/media/…`, `data/tutor/config.yml`.
/// A folder that it makes is for its owner alone (0700).
/// Throws Error(kNotFound) when it holds none of them. Returns when all of it is durable. After an
/// error the folder is removed as far as this call made it. Throws Error.
ExtractReport Extract(Store& store, const ObjectId& archive, const ComponentSelection& selection,
                      const std::filesystem::path& folder, const RunContext& run);

}  // namespace oxbackup
