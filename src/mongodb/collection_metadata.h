// A collection as the archive's metadata.json describes it, made fit for the server it goes to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// What mongodump's and our `<collection>.metadata.json` say.
struct CollectionMetadata {
  std::string collection;  ///< its whole name; empty in the files of old mongodumps
  std::string type;        ///< "collection", "view", "timeseries"; empty in the files of old ones
  std::string uuid;        ///< 32 hexadecimal digits; empty where the source had none
  Bson options;
  std::vector<Bson> indexes;  ///< as listIndexes gave them, the one on _id too

  bool view() const { return type == "view" || FindField(options.bytes(), "viewOn").has_value(); }
  bool capped() const;
};

/// Throws Error(kCorrupt) naming `path` when the text is no such file.
CollectionMetadata ParseMetadata(std::string_view json, const std::string& path);

/// The options that are the collection's: without what belongs to the source alone (uuid, temp,
/// autoIndexId, recordIdsReplicated).
Bson KeptOptions(const CollectionMetadata& metadata);
/// Of these what `create` gets: without recordPreImages where the server no longer knows that.
Bson CreateOptions(const CollectionMetadata& metadata, const ServerInfo& server);

/// The specifications that `createIndexes` gets, without the one on _id: `ns` and outdated versions
/// dropped, legacy values of keys made 1 as mongorestore --convertLegacyIndexes does, and on a
/// collection with a collation of its own the plain one named where an index has none. Options that
/// servers do not know are dropped, and an age that is no number becomes the greatest one;
/// `changed` gets a line about each of these. Throws Error(kUsage) naming index and collection for
/// a kind or an age that the server does not take.
std::vector<Bson> CreateIndexSpecs(const CollectionMetadata& metadata, const std::string& ns,
                                   const ServerInfo& server,
                                   std::vector<std::string>* changed = nullptr);

/// Throws Error(kUsage) with what to do when the server cannot have a collection like that.
void CheckServerTakes(const CollectionMetadata& metadata, const std::string& ns,
                      const ServerInfo& server);

}  // namespace oxbackup::mongodb
