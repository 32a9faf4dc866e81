// The parts of a site's MongoDB databases.
#pragma once

#include "model.h"
#include "mongodb_client.h"

namespace sitegen {

/// modulestore.* : courses, their structures and the definitions of their blocks. `bytes` in all.
void FillModulestore(MongodbClient& client, const Model& model, uint64_t bytes);
/// fs.files and fs.chunks: the courses' assets in GridFS.
void FillGridfs(MongodbClient& client, const Model& model, uint64_t bytes);
/// The forum: contents, users and subscriptions.
void FillForum(MongodbClient& client, const Model& model, uint64_t bytes);
/// Every BSON type, every kind of `_id`, odd names, indexes and options: as far as the server's
/// flavour has them; what is left out is named on standard error.
void FillOddDocuments(MongodbClient& client);

/// An index in `keys` order; `options` are fields such as unique or sparse.
void MakeIndex(MongodbClient& client, const std::string& database, const std::string& collection,
               const std::string& name, const Document& keys, const Document& options = Document());

}  // namespace sitegen
