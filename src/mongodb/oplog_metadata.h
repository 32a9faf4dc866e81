// What the oplog's commands make of a collection's metadata.
#pragma once

#include <optional>
#include <string_view>

#include "mongodb/collection_metadata.h"

namespace oxbackup::mongodb {

/// Of a `create`: its options, no indexes.
CollectionMetadata MetadataOfCreate(std::string_view command);

/// Applies a `collMod`. Returns what of it changes the collection rather than an index, as fields
/// of a collMod of our own; nothing when the command holds what is not known.
[[nodiscard]] std::optional<Bson> ApplyCollMod(CollectionMetadata& metadata,
                                               std::string_view command);

/// Adds the indexes of a `createIndexes` (one whose fields stand in the command, or several) or a
/// `commitIndexBuild`, each instead of one of the same name.
void AddOplogIndexes(CollectionMetadata& metadata, std::string_view command);

/// Takes away those of a `dropIndexes` (by name, "*" for all but the one on _id) or an
/// `abortIndexBuild`. False when the command does not say which.
[[nodiscard]] bool RemoveOplogIndexes(CollectionMetadata& metadata, std::string_view command);

}  // namespace oxbackup::mongodb
