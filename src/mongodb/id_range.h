// Ranges of _id values: how a big collection is read by several readers at once, and where a read
// goes on after its cursor was killed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mongodb/bson.h"

namespace oxbackup::mongodb {

/// A value as it stands in a document, owned.
struct IdValue {
  BsonType type = BsonType::kNull;
  std::string bytes;

  static IdValue Of(const Element& element) { return {element.type, std::string(element.value)}; }
  friend bool operator==(const IdValue&, const IdValue&) = default;
};

/// Some of a collection's documents, and how a server is asked for exactly these.
struct IdRange {
  enum class Kind {
    /// From `from` (inclusive) to `to` (exclusive) in the index's order, across types. Only where
    /// the server honours min and max; without both, the whole collection.
    kBounds,
    /// The ObjectIds from `from` to `to`, by comparison: a comparison matches values of its own
    /// type alone, on every server.
    kObjectIds,
    /// Every _id that is no ObjectId.
    kOtherTypes,
    /// The whole collection in the order of _id, without bounds.
    kWhole,
    /// The whole collection in the order in which it is stored (capped, or without an _id index).
    kNatural,
  };

  Kind kind = Kind::kNatural;
  std::optional<IdValue> from;
  std::optional<IdValue> to;

  /// Whether a broken read can go on behind the last document instead of at the start.
  bool resumable() const { return kind == Kind::kBounds || kind == Kind::kObjectIds; }
};

/// The ranges of a collection, cut in two.
struct SplitRanges {
  std::vector<IdRange> older;  ///< the ObjectIds below the border
  std::vector<IdRange> rest;   ///< everything else
};

/// Cuts ranges that together hold every document at an ObjectId. Nothing where it cannot be done:
/// ranges that are no ranges of ObjectIds. REQUIRES: `border` is an ObjectId.
[[nodiscard]] std::optional<SplitRanges> SplitAt(const std::vector<IdRange>& ranges,
                                                 const IdValue& border);

/// The first ObjectId of that second, seconds since 1970.
IdValue ObjectIdAt(uint64_t seconds);

/// Adds filter, min, max, hint and sort to a find command.
void AddRange(const IdRange& range, Bson& find);

/// Borders at round times (multiples of a power of two, seconds) between two ObjectIds, so that
/// they stay where they are from run to run while the collection grows; fewer than `pieces` of
/// them. Doubling `pieces` keeps all borders and adds some. REQUIRES: both are ObjectIds, pieces
/// >= 1.
std::vector<IdValue> RoundObjectIds(const IdValue& first, const IdValue& last, uint32_t pieces);
/// The same for integers, at multiples of a power of two.
std::vector<IdValue> RoundIntegers(int64_t first, int64_t last, uint32_t pieces);

/// Ranges between the borders that together hold every document once, whatever the types of the
/// _ids: by index bounds, or, for ObjectId borders on servers that ignore bounds, by comparison.
std::vector<IdRange> RangesByBounds(const std::vector<IdValue>& borders);
std::vector<IdRange> RangesByComparison(const std::vector<IdValue>& borders);

}  // namespace oxbackup::mongodb
