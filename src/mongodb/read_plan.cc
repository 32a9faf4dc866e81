#include "mongodb/read_plan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <optional>
#include <utility>

namespace oxbackup::mongodb {
namespace {

// A range of a collection as large as this keeps one reader busy for a second or so.
constexpr uint64_t kRangeBytes = uint64_t{48} << 20;
constexpr uint32_t kMostPieces = 64;

Bson FindId(const CollectionInfo& collection, int32_t direction) {
  Bson find;
  find.Add("find", collection.stored_name());
  find.Add("limit", int32_t{1}).Add("singleBatch", true);
  find.Add("projection", Bson().Add("_id", int32_t{1}));
  if (direction != 0) find.Add("sort", Bson().Add("_id", direction));
  return find;
}

// The _id of the first document found; nothing when there is none or the server refuses.
std::optional<IdValue> ReadId(Session& session, const CollectionInfo& collection,
                              const Bson& find) {
  Cursor cursor(session, collection.database, find);
  if (cursor.Next() != Cursor::Step::kDocument) return std::nullopt;
  const auto id = FindField(cursor.document(), "_id");
  if (!id) return std::nullopt;
  return IdValue::Of(*id);
}

struct Extremes {
  std::optional<IdValue> first;
  std::optional<IdValue> last;
};

Extremes ReadExtremes(Session& session, const CollectionInfo& collection, const Bson& compare) {
  Extremes extremes;
  const auto read = [&](int32_t direction) {
    Bson find = FindId(collection, direction);
    if (!compare.empty()) find.Add("filter", Bson().Add("_id", compare));
    return ReadId(session, collection, find);
  };
  extremes.first = read(1);
  if (extremes.first) extremes.last = read(-1);
  return extremes;
}

uint32_t Pieces(const CollectionInfo& collection) {
  const uint64_t wanted = collection.bytes / kRangeBytes + 1;
  // A power of two, so that more pieces keep the borders of fewer.
  return std::clamp<uint32_t>(
      std::bit_ceil(static_cast<uint32_t>(std::min<uint64_t>(wanted, kMostPieces))), 4,
      kMostPieces);
}

std::vector<IdValue> ObjectIdBorders(Session& session, const CollectionInfo& collection) {
  Bson compare;
  compare.AddValue("$gte", BsonType::kObjectId, std::string(12, '\0'));
  compare.AddValue("$lte", BsonType::kObjectId, std::string(12, '\xff'));
  const Extremes found = ReadExtremes(session, collection, compare);
  if (!found.first || !found.last) return {};
  return RoundObjectIds(*found.first, *found.last, Pieces(collection));
}

std::vector<IdValue> IntegerBorders(Session& session, const CollectionInfo& collection) {
  Bson compare;
  compare.Add("$gte", std::numeric_limits<int64_t>::min());
  compare.Add("$lte", std::numeric_limits<int64_t>::max());
  const Extremes found = ReadExtremes(session, collection, compare);
  if (!found.first || !found.last) return {};
  const auto first = Element{found.first->type, {}, found.first->bytes, {}}.AsInt();
  const auto last = Element{found.last->type, {}, found.last->bytes, {}}.AsInt();
  if (!first || !last) return {};
  return RoundIntegers(*first, *last, Pieces(collection));
}

}  // namespace

int ReadStage(std::string_view collection) {
  constexpr std::array<std::pair<std::string_view, int>, 6> kStages = {{
      {"modulestore.structures", 1},
      {"modulestore.definitions", 2},
      {"fs.chunks", 1},
      {"contents", 1},
      {"users", 2},
      {"commentables", 2},
  }};
  for (const auto& [name, stage] : kStages) {
    if (collection == name) return stage;
  }
  return collection.ends_with(".chunks") ? 1 : 0;
}

bool IsInsertOnly(std::string_view collection) {
  return collection == "modulestore.structures" || collection == "modulestore.definitions" ||
         collection.ends_with(".chunks");
}

bool HonoursBounds(Session& session, const CollectionInfo& collection) {
  const Extremes all = ReadExtremes(session, collection, Bson());
  if (!all.first || !all.last || *all.first == *all.last) return false;
  const auto bounded = [&](const char* bound, const IdValue& value) {
    Bson find = FindId(collection, 0);
    find.Add("hint", Bson().Add("_id", int32_t{1}));
    find.Add(bound, Bson().AddValue("_id", value.type, value.bytes));
    return find;
  };
  const auto from_last = ReadId(session, collection, bounded("min", *all.last));
  if (!from_last || *from_last != *all.last) return false;
  Cursor below_first(session, collection.database, bounded("max", *all.first));
  return below_first.Next() == Cursor::Step::kEnd;
}

std::vector<IdRange> PlanRanges(Session& session, const CollectionInfo& collection, bool small,
                                int readers) {
  if (collection.is_capped() || !collection.has_id_index()) {
    return {IdRange{IdRange::Kind::kNatural, {}, {}}};
  }
  if (small) return {IdRange{IdRange::Kind::kWhole, {}, {}}};
  const bool bounds = HonoursBounds(session, collection);
  const bool split = readers > 1 && collection.bytes >= kSplitBytes;
  if (split) {
    const std::vector<IdValue> object_ids = ObjectIdBorders(session, collection);
    if (!object_ids.empty()) {
      return bounds ? RangesByBounds(object_ids) : RangesByComparison(object_ids);
    }
    // By comparison NaN would fall between all ranges of numbers.
    if (bounds) return RangesByBounds(IntegerBorders(session, collection));
  }
  return {IdRange{bounds ? IdRange::Kind::kBounds : IdRange::Kind::kWhole, {}, {}}};
}

}  // namespace oxbackup::mongodb
