#include "mongodb/id_range.h"

namespace oxbackup::mongodb {
namespace {

constexpr size_t kObjectIdBytes = 12;

uint32_t SecondsOf(const IdValue& object_id) {
  uint32_t seconds = 0;
  for (size_t i = 0; i < 4; ++i) {
    seconds = seconds << 8 | static_cast<unsigned char>(object_id.bytes[i]);
  }
  return seconds;
}

IdValue Integer(int64_t number) {
  IdValue value{BsonType::kInt64, std::string(8, '\0')};
  const auto bits = static_cast<uint64_t>(number);
  for (size_t i = 0; i < 8; ++i) value.bytes[i] = static_cast<char>((bits >> (8 * i)) & 0xff);
  return value;
}

// The least shift by which `span` comes below `pieces`.
unsigned ShiftFor(uint64_t span, uint32_t pieces) {
  unsigned shift = 0;
  while ((span >> shift) >= pieces) ++shift;
  return shift;
}

}  // namespace

IdValue ObjectIdAt(uint64_t seconds) {
  IdValue value{BsonType::kObjectId, std::string(kObjectIdBytes, '\0')};
  for (size_t i = 0; i < 4; ++i) {
    value.bytes[i] = static_cast<char>((seconds >> (24 - 8 * i)) & 0xff);
  }
  return value;
}

std::vector<IdValue> RoundObjectIds(const IdValue& first, const IdValue& last, uint32_t pieces) {
  const uint64_t begin = SecondsOf(first);
  const uint64_t end = SecondsOf(last);
  std::vector<IdValue> borders;
  if (begin >= end) return borders;
  const unsigned shift = ShiftFor(end - begin, pieces);
  for (uint64_t border = (begin >> shift) + 1; border << shift <= end; ++border) {
    borders.push_back(ObjectIdAt(border << shift));
  }
  return borders;
}

std::vector<IdValue> RoundIntegers(int64_t first, int64_t last, uint32_t pieces) {
  std::vector<IdValue> borders;
  if (first >= last) return borders;
  const unsigned shift =
      ShiftFor(static_cast<uint64_t>(last) - static_cast<uint64_t>(first), pieces);
  // Shifts of negative numbers round down, as is wanted; the quotients cannot overflow.
  const int64_t end = last >> shift;
  for (int64_t border = first >> shift; border < end;) {
    ++border;
    borders.push_back(Integer(static_cast<int64_t>(static_cast<uint64_t>(border) << shift)));
  }
  return borders;
}

std::vector<IdRange> RangesByBounds(const std::vector<IdValue>& borders) {
  std::vector<IdRange> ranges(borders.size() + 1, IdRange{IdRange::Kind::kBounds, {}, {}});
  for (size_t i = 0; i < borders.size(); ++i) {
    ranges[i].to = borders[i];
    ranges[i + 1].from = borders[i];
  }
  return ranges;
}

std::vector<IdRange> RangesByComparison(const std::vector<IdValue>& borders) {
  std::vector<IdRange> ranges(borders.size() + 1, IdRange{IdRange::Kind::kObjectIds, {}, {}});
  for (size_t i = 0; i < borders.size(); ++i) {
    ranges[i].to = borders[i];
    ranges[i + 1].from = borders[i];
  }
  ranges.push_back(IdRange{IdRange::Kind::kOtherTypes, {}, {}});
  return ranges;
}

std::optional<SplitRanges> SplitAt(const std::vector<IdRange>& ranges, const IdValue& border) {
  SplitRanges split;
  const auto is_border = [](const std::optional<IdValue>& value) {
    return !value || value->type == BsonType::kObjectId;
  };
  for (const IdRange& range : ranges) {
    if (range.kind == IdRange::Kind::kOtherTypes) {
      split.rest.push_back(range);
      continue;
    }
    if (!range.resumable() || !is_border(range.from) || !is_border(range.to)) return std::nullopt;
    // ObjectIds are compared by their bytes.
    IdRange older = range;
    if (!older.to || older.to->bytes > border.bytes) older.to = border;
    if (!older.from && range.kind == IdRange::Kind::kBounds) {
      // Below all ObjectIds there are other types, among which new documents may come anywhere.
      older.from = ObjectIdAt(0);
      split.rest.push_back(IdRange{range.kind, {}, older.from});
    }
    if (!older.from || older.from->bytes < older.to->bytes) split.older.push_back(older);
    IdRange newer = range;
    if (!newer.from || newer.from->bytes < border.bytes) newer.from = border;
    if (!newer.to || newer.from->bytes < newer.to->bytes) split.rest.push_back(newer);
  }
  return split;
}

void AddRange(const IdRange& range, Bson& find) {
  const auto bound = [](const IdValue& value) {
    return Bson().AddValue("_id", value.type, value.bytes);
  };
  const Bson by_id = Bson().Add("_id", int32_t{1});
  switch (range.kind) {
    case IdRange::Kind::kNatural:
      return;
    case IdRange::Kind::kBounds:
      if (range.from) find.Add("min", bound(*range.from));
      if (range.to) find.Add("max", bound(*range.to));
      break;
    case IdRange::Kind::kObjectIds: {
      // Without a border the type alone is asked for.
      const IdValue least{BsonType::kObjectId, std::string(kObjectIdBytes, '\0')};
      const IdValue greatest{BsonType::kObjectId, std::string(kObjectIdBytes, '\xff')};
      const IdValue& from = range.from ? *range.from : least;
      const IdValue& to = range.to ? *range.to : greatest;
      Bson compare;
      compare.AddValue("$gte", from.type, from.bytes);
      compare.AddValue(range.to ? "$lt" : "$lte", to.type, to.bytes);
      find.Add("filter", Bson().Add("_id", compare));
      break;
    }
    case IdRange::Kind::kOtherTypes:
      find.Add("filter", Bson().Add("_id", Bson().Add("$not", Bson().Add("$type", "objectId"))));
      break;
    case IdRange::Kind::kWhole:
      break;
  }
  // The hint keeps the planner from sorting in memory; bounds are refused without it.
  find.Add("hint", by_id).Add("sort", by_id);
}

}  // namespace oxbackup::mongodb
