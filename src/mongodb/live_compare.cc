#include "mongodb/live_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mongodb/dump_path.h"
#include "mongodb/live_names.h"
#include "mongodb/session_pool.h"
#include "mongodb/user_dump.h"
#include "mongodb/verify.h"

namespace oxbackup::mongodb {
namespace {

std::set<std::string> AddedByOplog(const ComponentManifest& manifest) {
  std::set<std::string> added;
  const auto names = manifest.positions.find(kAddedByOplog);
  if (names == manifest.positions.end()) return added;
  std::string_view rest = names->second;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    added.emplace(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return added;
}

class MongodbComparer final : public LiveComparer {
 public:
  MongodbComparer(ConnectOptions options, int readers, const RunContext& run)
      : run_(run), readers_(readers), pool_(std::move(options), run.stop) {}

  std::string_view name() const override { return "mongodb"; }

  std::vector<std::string> Compare(const ComponentManifest& expected) override {
    std::vector<std::string> differences;
    std::map<std::string, std::map<std::string, LiveEntry>> live;
    uint64_t bytes = 0;
    {
      const SessionPool::Lease session = pool_.Take();
      for (const ObjectEntry& object : expected.objects) {
        if (IsOfAccounts(object)) continue;
        const auto [database, first] = live.try_emplace(object.database);
        if (first) database->second = ListLive(*session, object.database);
        bytes += object.raw_bytes;
      }
    }
    run_.progress.Begin("mongodb", "compare", bytes);
    std::vector<std::string> changed;  // by the archive's oplog
    std::vector<const ObjectEntry*> objects;
    std::vector<CollectionName> names;
    for (const ObjectEntry& object : expected.objects) {
      if (IsOfAccounts(object)) continue;
      auto& entries = live[object.database];
      const auto entry = entries.find(object.name);
      const std::string ns = object.database + "." + object.name;
      if (object.details.contains(kStateDetail)) {
        changed.push_back(ns);
        if (entry != entries.end()) entries.erase(entry);
        continue;
      }
      if (entry == entries.end()) {
        differences.push_back(fmt::format("{} is in the archive but not on the server", ns));
        continue;
      }
      const bool view = entry->second.view();
      entries.erase(entry);
      if (view != (object.kind == "view")) {
        differences.push_back(fmt::format("{} is a {} in the archive and a {} on the server", ns,
                                          object.kind, view ? "view" : "collection"));
      } else if (!object.digest.empty()) {
        objects.push_back(&object);
        names.emplace_back(object.database, object.name);
      }
    }
    const std::vector<ContentDigest> digests = DigestCollections(pool_, names, readers_, run_);
    for (size_t at = 0; at < objects.size(); ++at) {
      const ObjectEntry& object = *objects[at];
      const ContentDigest& digest = digests[at];
      if (digest.count() == object.items && digest.Hex() == object.digest) continue;
      differences.push_back(fmt::format("{}.{} has {} on the server and {} in the archive",
                                        object.database, object.name,
                                        DescribeDigest(digest.count(), digest.Hex()),
                                        DescribeDigest(object.items, object.digest)));
    }
    WarnOf(changed);
    const std::set<std::string> added = AddedByOplog(expected);
    for (const auto& [database, entries] : live) {
      for (const auto& [name, entry] : entries) {
        if (IsBeside(name) || added.contains(database + "." + name)) continue;
        differences.push_back(
            fmt::format("{}.{} is on the server but not in the archive", database, name));
      }
    }
    return differences;
  }

 private:
  // Their digests in the manifest are of what was read before the oplog.
  void WarnOf(const std::vector<std::string>& changed) const {
    if (changed.empty()) return;
    run_.warnings.Add(
        fmt::format("MongoDB: not compared, since the site changed them while the backup ran and "
                    "only a restore "
                    "replays the archive's oplog: {}",
                    fmt::join(changed, ", ")));
  }

  const RunContext run_;
  const int readers_;
  SessionPool pool_;
};

}  // namespace

std::unique_ptr<LiveComparer> MakeLiveComparer(const ConnectOptions& options, int readers,
                                               const RunContext& run) {
  return std::make_unique<MongodbComparer>(options, readers, run);
}

}  // namespace oxbackup::mongodb
