// How a mongod compares values and matches simple filters, for the model in the tests.
#pragma once

#include <string>
#include <string_view>

#include "mongodb/bson.h"

namespace oxbackup::mongodb {

/// MongoDB's order across types: less than, equal to, greater than 0. Types whose order no test of
/// ours needs compare by their bytes.
int CompareValues(const Element& left, const Element& right);
/// Position of a type in that order; values of one bracket are comparable by $gt and the like.
int TypeBracket(BsonType type);
/// Values that are equal have equal keys (1, 1.0 and NumberLong(1) too).
std::string EqualityKey(const Element& value);
/// Whether a document matches a filter of equalities, $eq, $ne, $gt, $gte, $lt, $lte, $in, $exists,
/// $not and $type "objectId" on top-level fields or dotted paths, $and and $or, with type
/// bracketing as a mongod does it. Throws std::invalid_argument for anything else, so that no test
/// believes a filter that was not applied.
bool MatchesFilter(std::string_view document, std::string_view filter);

}  // namespace oxbackup::mongodb
