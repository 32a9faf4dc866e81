#include "model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "random.h"
#include "text.h"

namespace sitegen {

// Bytes of SQL, over all tables, that one user brings; measured on a filled site. There are four
// huge rows besides.
constexpr uint64_t kSqlBytesPerUser = 49000;

Model MakeModel(uint64_t seed, uint64_t mysql_bytes, uint64_t mongodb_bytes, uint64_t media_bytes,
                int64_t empty_tables) {
  Model model;
  model.seed = seed;
  model.mysql_bytes = mysql_bytes;
  model.mongodb_bytes = mongodb_bytes;
  model.media_bytes = media_bytes;
  uint64_t rest = mysql_bytes - std::min<uint64_t>(mysql_bytes, 4 * HugeRowBytes(model));
  model.users = std::max<int64_t>(12, static_cast<int64_t>(rest / kSqlBytesPerUser));
  model.courses = std::clamp<int64_t>(model.users / 40, 6, 400);
  model.empty_tables = empty_tables;
  return model;
}

size_t HugeRowBytes(const Model& model) {
  return std::clamp<size_t>(model.mysql_bytes / 40, 100000, 4 << 20);
}

std::string CourseOrg(int64_t course) {
  constexpr std::array<std::string_view, 6> kOrgs = {"OpenX",    "UniLeipzig",  "МГУ",
                                                     "東京大学", "AcmeAcademy", "Org-with.dots_"};
  return std::string(kOrgs[static_cast<size_t>(course) % kOrgs.size()]);
}

std::string CourseNumber(int64_t course) { return fmt::format("CS{}", 101 + course); }

std::string CourseRun(int64_t course) {
  return fmt::format("20{}_T{}", 16 + course % 10, 1 + course % 3);
}

std::string CourseKey(int64_t course) {
  return fmt::format("course-v1:{}+{}+{}", CourseOrg(course), CourseNumber(course),
                     CourseRun(course));
}

std::string_view BlockType(int64_t block) {
  constexpr std::array<std::string_view, 10> kTypes = {
      "problem", "problem", "video",    "problem",        "sequential",
      "html",    "problem", "vertical", "openassessment", "problem"};
  if (block == 0) return "course";
  if (block <= 8) return "chapter";
  return kTypes[static_cast<size_t>(block) % kTypes.size()];
}

std::string BlockHex(const Model& model, int64_t course, int64_t block) {
  Random random(model.seed, "block", static_cast<uint64_t>(course * kBlocksPerCourse + block));
  return Hex(random, 32);
}

std::string UsageKey(const Model& model, int64_t course, int64_t block) {
  return fmt::format("block-v1:{}+{}+{}+type@{}+block@{}", CourseOrg(course), CourseNumber(course),
                     CourseRun(course), BlockType(block), BlockHex(model, course, block));
}

std::string Username(const Model& model, int64_t user) {
  Random random(model.seed, "username", static_cast<uint64_t>(user));
  // Names of four-byte characters are legal user names, and keys of other tables.
  if (user % 97 == 5) return fmt::format("𝓾𝓼𝓮𝓻_🎓_{}", user);
  if (user % 11 == 3) return fmt::format("студент_{}", user);
  return fmt::format("{}_{}{}", random.Percent(50) ? "learner" : "edx.user", user, Hex(random, 2));
}

int64_t CourseOfUser(const Model& model, int64_t user, int64_t which) {
  return (user * 7 + which * (1 + user % 2)) % model.courses;
}

}  // namespace sitegen
