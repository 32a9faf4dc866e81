// Filling shadow schemas from an archive.
#pragma once

#include "archive/archive_reader.h"
#include "base/run_context.h"
#include "mysql/load_crew.h"
#include "mysql/shadow_site.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {

/// Sessions of a crew that build indexes while the others load rows. Two: a large table's indexes
/// take longer than all smaller ones together, which should not have to wait for them.
inline constexpr int kIndexBuilders = 2;

/// Creates the shadow schemas, loads every row and builds all indexes and foreign keys. Afterwards
/// `site` holds what was loaded and the scripts that follow the swap. With random access members
/// are loaded by as many threads as the crew has sessions beside kIndexBuilders, and a table's
/// indexes are built as soon as its last chunk is in; otherwise in the archive's order, the INSERTs
/// by the crew. A foreign archive's `data/mysql_dump.sql` is read as mysqldump's script. Throws
/// Error; the shadow schemas are then left to be dropped. REQUIRES: crew.size() > kIndexBuilders.
void LoadArchive(ArchiveReader& reader, ShadowSite& site, LoadCrew& crew, RecordBook& book,
                 const RunContext& run);

}  // namespace oxbackup::mysql
