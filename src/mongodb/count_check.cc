#include "mongodb/count_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "mongodb/read_moment.h"

namespace oxbackup::mongodb {
namespace {

// What a busy site may write to one collection while it is read.
bool Plausible(uint64_t read, uint64_t low, uint64_t high) {
  const uint64_t slack = 100 + high / 50;
  return read + slack >= low && read <= high + slack;
}

Error CountsDiffer(const CollectionInfo& collection, uint64_t read, uint64_t counted) {
  return Error(ErrorKind::kSource,
               fmt::format("{} has {} by the server's count, but {} read", collection.full_name(),
                           FormatCounted(counted, "document", "documents"),
                           FormatCounted(read, "was", "were")))
      .Hint(
          "run the backup again; if the numbers differ again, run the server's validate command "
          "on that collection");
}

}  // namespace

std::optional<uint64_t> CountCheck::Estimate(const CollectionInfo& collection) const {
  const Reply reply =
      session_.TryRun(collection.database, Bson().Add("count", collection.stored_name()));
  if (!reply.ok()) return std::nullopt;
  const auto count = FindField(reply.document.bytes(), "n");
  if (!count || !count->AsInt()) return std::nullopt;
  return static_cast<uint64_t>(*count->AsInt());
}

std::optional<uint64_t> CountCheck::Count(const CollectionInfo& collection,
                                          const std::optional<Timestamp>& at) const {
  const Bson group =
      Bson().Add("$group", Bson().Add("_id", int32_t{0}).Add("n", Bson().Add("$sum", int32_t{1})));
  Bson command;
  command.Add("aggregate", collection.stored_name());
  command.AddArray("pipeline", Bson().Add("0", Bson().Add("$match", Bson())).Add("1", group));
  command.Add("cursor", Bson());
  if (collection.has_id_index()) command.Add("hint", Bson().Add("_id", int32_t{1}));
  if (at) command.Add("readConcern", ReadConcernAt(at));
  Cursor cursor(session_, collection.database, command);
  switch (cursor.Next()) {
    case Cursor::Step::kDocument: {
      const auto count = FindField(cursor.document(), "n");
      if (!count || !count->AsInt()) return std::nullopt;
      return static_cast<uint64_t>(*count->AsInt());
    }
    case Cursor::Step::kEnd:
      return 0;
    case Cursor::Step::kFailed:
      break;
  }
  return std::nullopt;
}

// Counts are taken by name when all has been read. Of a name that is no longer there 5.0 and 6.0
// give nothing, and no error: what was read is right all the same.
bool CountCheck::IsGone(const CollectionInfo& collection, uint64_t counted) const {
  if (counted > 0) return false;
  const auto now = FindCollection(session_, collection.database, collection.stored_name());
  return !now || (collection.uuid && now->uuid != collection.uuid);
}

void CountCheck::Check(const CollectionOutput& output) const {
  const CollectionInfo& collection = output.collection();
  if (collection.is_capped() || collection.type != "collection") return;
  const uint64_t read = output.digest().count();
  if (frozen_) {
    const auto quick = Estimate(collection);
    if (!quick || *quick == read) return;
    // The quick count can be wrong after a crash of the server.
    const uint64_t counted = Count(collection, std::nullopt).value_or(*quick);
    if (counted != read) throw CountsDiffer(collection, read, counted);
    return;
  }
  if (at_cluster_time_ && !output.left_the_instant()) {
    const auto counted = Count(collection, at_cluster_time_);
    if (!counted || *counted == read || IsGone(collection, *counted)) return;
    throw CountsDiffer(collection, read, *counted);
  }
  // The server's quick count can be wrong after a crash; it only says whether to count exactly.
  const auto estimate = Estimate(collection);
  if (!estimate) return;
  const uint64_t low = std::min(*estimate, collection.documents);
  const uint64_t high = std::max(*estimate, collection.documents);
  if (collection.has_estimates && Plausible(read, low, high)) return;
  if (Plausible(read, *estimate, *estimate)) return;
  const auto counted = Count(collection, std::nullopt);
  if (!counted || Plausible(read, *counted, *counted) || IsGone(collection, *counted)) return;
  throw CountsDiffer(collection, read, *counted);
}

}  // namespace oxbackup::mongodb
