// The indexes of what was loaded, and what the server made of its options.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/task_group.h"
#include "mongodb/extended_json.h"
#include "mongodb/live_names.h"
#include "mongodb/load.h"

namespace oxbackup::mongodb {
namespace {

bool HasTtl(const Bson& index) {
  return FindField(index.bytes(), "expireAfterSeconds").has_value();
}

Error IndexError(const std::string& ns, const Reply& reply) {
  Error error = reply.failure->ToError("MongoDB does not build the indexes of " + ns);
  if (reply.failure->code != kDuplicateKey) return error;
  // 5.0 and newer name the values by themselves too.
  if (const auto values = FindField(reply.document.bytes(), "keyValue")) {
    error.Cause(
        fmt::format("{}; the values that come twice: {}", error.cause(), ValueText(*values)));
  }
  return error.Hint(
      "documents of the archive have the same values under a unique index, as a copy of no single "
      "moment may have (see its consistency in inspect): restore another "
      "archive, or restore with --noIndexRestore in MONGORESTORE_ADDITIONAL_OPTIONS, mend "
      "the documents and build the indexes by hand");
}

}  // namespace

void Loader::BuildTtlIndexes() { BuildIndexes(/*ttl=*/true, std::stop_token()); }

void Loader::BuildIndexes(bool ttl, const std::stop_token& stop) {
  if (options_.no_index_restore) return;
  std::mutex mutex;
  size_t next = 0;
  TaskGroup group(stop);
  const auto build = [&](const std::stop_token&) {
    const SessionPool::Lease session = pool_.Take();
    for (;;) {
      RestoredCollection* collection = nullptr;
      {
        const std::lock_guard lock(mutex);
        if (next == collections_.size()) return;
        collection = collections_[next++].get();
      }
      if (collection->metadata.view()) continue;
      Bson specs;
      int count = 0;
      for (const Bson& spec :
           CreateIndexSpecs(collection->metadata, collection->ns(), session->server())) {
        if (HasTtl(spec) == ttl) specs.Add(std::to_string(count++), spec);
      }
      if (count == 0) continue;
      const Reply reply = session->TryRun(
          collection->database,
          Bson().Add("createIndexes", collection->temp_name).AddArray("indexes", specs));
      if (!reply.ok()) throw IndexError(collection->ns(), reply);
      run_.progress.Add("mongodb", 0, static_cast<uint64_t>(count), collection->ns());
    }
  };
  for (int worker = 0; worker < std::max(1, options_.workers); ++worker) group.Run(build);
  group.Wait();
}

void Loader::WarnOfChangedIndexes(const RestoredCollection& collection, const ServerInfo& server) {
  if (options_.no_index_restore) return;
  std::vector<std::string> changed;
  static_cast<void>(CreateIndexSpecs(collection.metadata, collection.ns(), server, &changed));
  for (std::string& change : changed) run_.warnings.Add(std::move(change));
}

void Loader::WarnOfDroppedOptions() {
  const SessionPool::Lease session = pool_.Take();
  std::map<std::string, std::map<std::string, LiveEntry>> live;
  for (const auto& collection : collections_) {
    if (collection->metadata.view()) continue;
    WarnOfChangedIndexes(*collection, session->server());
    const auto [database, first] = live.try_emplace(collection->database);
    if (first) database->second = ListLive(*session, collection->database);
    const auto entry = database->second.find(collection->temp_name);
    if (entry == database->second.end()) continue;
    std::string dropped;
    const Bson wanted = KeptOptions(collection->metadata);
    FieldWalker walker(wanted.bytes());
    while (const auto option = walker.Next()) {
      if (FindField(entry->second.options.bytes(), option->key)) continue;
      dropped += (dropped.empty() ? "" : ", ") + std::string(option->key);
    }
    if (!dropped.empty()) {
      run_.warnings.Add(fmt::format("{}: {} did not take over the options {}", collection->ns(),
                                    session->server().flavour, dropped));
    }
  }
}

}  // namespace oxbackup::mongodb
