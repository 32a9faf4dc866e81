// Content digests of tables on a server.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/run_context.h"
#include "mysql/catalog.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Reads every row of the tables, which the sessions see, and returns one digest for each, in the
/// tables' order. Each session is used by one thread; large tables are cut into ranges of their
/// key, so that all threads work to the end. Progress is told as "mysql". Throws Error(kSource)
/// when a table cannot be read, Error(kCancelled) on a stop request.
std::vector<ContentDigest> DigestTables(const std::vector<std::unique_ptr<Session>>& sessions,
                                        const std::vector<Table>& tables, const RunContext& run);

}  // namespace oxbackup::mysql
