// What a backup finds of restores of ours.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "mongodb/catalog.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// "database.collection" of all that restores with --keep-old have kept beside the live data.
std::set<std::string> KeptCollections(Session& session, const std::string& record_database);

/// Throws Error(kSource) when all collections of a database have been replaced since `catalog` was
/// read: a copy of them that was made meanwhile can be half of the old and half of the new ones.
void RefuseIfOvertaken(Session& session, const std::vector<CollectionInfo>& catalog);

}  // namespace oxbackup::mongodb
