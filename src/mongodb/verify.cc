#include "mongodb/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "base/error.h"
#include "base/task_group.h"
#include "base/text.h"
#include "mongodb/bson_stream.h"
#include "mongodb/dump_path.h"

namespace oxbackup::mongodb {
namespace {

constexpr int kDigestTries = 5;
// Reported to the display after this many bytes, not after each document.
constexpr uint64_t kReportBytes = uint64_t{4} << 20;

bool MayStartAnew(const ServerFailure& failure) {
  return failure.IsOfCursorAlone() || failure.code == kNamespaceNotFound;
}

// Nothing when the cursor died and may be started anew.
std::optional<ContentDigest> TryDigest(Session& session, const CollectionName& name,
                                       const RunContext& run, ServerFailure& failure) {
  const std::string ns = name.first + "." + name.second;
  ContentDigest digest;
  Cursor cursor(session, name.first, Bson().Add("find", name.second));
  uint64_t bytes = 0;
  uint64_t documents = 0;
  for (;;) {
    const Cursor::Step step = cursor.Next();
    if (step == Cursor::Step::kFailed) {
      failure = cursor.failure();
      if (!MayStartAnew(failure)) throw failure.ToError("MongoDB does not read back " + ns);
      return std::nullopt;
    }
    if (step == Cursor::Step::kDocument) {
      digest.Add(cursor.document());
      bytes += cursor.document().size();
      ++documents;
    }
    if (step == Cursor::Step::kEnd || bytes >= kReportBytes) {
      run.progress.Add("mongodb", std::exchange(bytes, 0), std::exchange(documents, 0), ns);
      run.ThrowIfStopped();
    }
    if (step == Cursor::Step::kEnd) return digest;
  }
}

}  // namespace

void DumpDigester::Add(const std::string& path, ByteSource& content) {
  const auto member = ParseDumpPath(path);
  if (!member || member->kind != DumpMemberKind::kData) return;
  BsonStream documents(content, path);
  ContentDigest digest;
  while (const auto document = documents.Next()) digest.Add(*document);
  const std::lock_guard lock(mutex_);
  digests_[{member->database, member->collection}].Merge(digest);
}

void DumpDigester::Compare(const ComponentManifest& expected) const {
  const std::lock_guard lock(mutex_);
  std::map<CollectionName, ContentDigest> left = digests_;
  for (const ObjectEntry& object : expected.objects) {
    const auto found = left.find({object.database, object.name});
    const ContentDigest digest = found == left.end() ? ContentDigest() : found->second;
    if (found != left.end()) left.erase(found);
    if (object.digest.empty()) continue;
    if (digest.count() == object.items && digest.Hex() == object.digest) continue;
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{}.{} in the archive is not what the manifest says", object.database,
                            object.name))
        .Cause(fmt::format("{} instead of {}", DescribeDigest(digest.count(), digest.Hex()),
                           DescribeDigest(object.items, object.digest)));
  }
  for (const auto& [name, digest] : left) {
    // Accounts and the like have no line of their own in the manifest.
    if (name.second.starts_with("system.") || digest.count() == 0) continue;
    throw Error(ErrorKind::kCorrupt, fmt::format("the manifest does not know {}.{} of the archive",
                                                 name.first, name.second));
  }
}

ContentDigest DigestCollection(Session& session, const CollectionName& collection,
                               const RunContext& run) {
  ServerFailure failure;
  for (int attempt = 0; attempt < kDigestTries; ++attempt) {
    if (const auto digest = TryDigest(session, collection, run, failure)) return *digest;
  }
  throw failure.ToError(fmt::format("MongoDB broke off reading {}.{} {} times", collection.first,
                                    collection.second, kDigestTries));
}

std::vector<ContentDigest> DigestCollections(SessionPool& pool,
                                             const std::vector<CollectionName>& collections,
                                             int readers, const RunContext& run) {
  std::vector<ContentDigest> digests(collections.size());
  std::atomic<size_t> next = 0;
  TaskGroup group(run.stop);
  const auto count = std::min<size_t>(static_cast<size_t>(std::max(1, readers)), digests.size());
  for (size_t reader = 0; reader < count; ++reader) {
    group.Run([&](const std::stop_token& stop) {
      const SessionPool::Lease session = pool.Take();
      for (size_t at = next++; at < digests.size(); at = next++) {
        digests[at] = DigestCollection(*session, collections[at], run.WithStop(stop));
      }
    });
  }
  group.Wait();
  return digests;
}

std::string DescribeDigest(uint64_t count, const std::string& digest) {
  return fmt::format("{}, digest {}", FormatCounted(count, "document", "documents"), digest);
}

}  // namespace oxbackup::mongodb
