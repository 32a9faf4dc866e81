#include "mongodb/oplog_update.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "mongodb/extended_json.h"

namespace oxbackup::mongodb {
namespace {

std::string Updated(std::string_view document, std::string_view update) {
  return ToJson(
      ApplyOplogUpdate(FromJson(document, "document").bytes(), FromJson(update, "update").bytes()));
}

std::string Canonical(std::string_view json) { return ToJson(FromJson(json, "json").bytes()); }

TEST(OplogUpdate, AppliesModifiersAlongPaths) {
  EXPECT_EQ(Updated(R"({"_id": 1, "a": {"b": 1}, "l": [1]})",
                    R"({"$v": 1, "$unset": {"a.b": true}, "$set": {"l.2": 3, "n.m": 1}})"),
            Canonical(R"({"_id": 1, "a": {}, "l": [1, null, 3], "n": {"m": 1}})"));
}

TEST(OplogUpdate, AppliesDiffsOfObjectsAndArrays) {
  EXPECT_EQ(Updated(R"({"_id": 1, "gone": 1, "kept": {"x": 1, "y": [1, {"z": 1}, 3]}})",
                    R"({"$v": 2, "diff": {"d": {"gone": false}, "i": {"new": 1},
                        "skept": {"u": {"x": 2}, "sy": {"a": true, "l": 2, "s1": {"u": {"z": 2}}}}}})"),
            Canonical(R"({"_id": 1, "kept": {"x": 2, "y": [1, {"z": 2}]}, "new": 1})"));
}

TEST(OplogUpdate, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(Updated(R"({"_id": 1})", R"({"$v": 1, "$inc": {"a": 1}})"), Error);
}

}  // namespace
}  // namespace oxbackup::mongodb
