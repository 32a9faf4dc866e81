// The imagined site: how many users, courses and blocks it has, and how they are named. All other
// parts derive their content from it, so that references between tables and databases meet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sitegen {

constexpr int64_t kBlocksPerCourse = 160;
/// Student modules a user has.
constexpr int64_t kModulesPerUser = 40;

struct Model {
  uint64_t seed = 1;
  uint64_t mysql_bytes = 0;
  uint64_t mongodb_bytes = 0;
  uint64_t media_bytes = 0;
  int64_t users = 0;
  int64_t courses = 0;
  int64_t empty_tables = 0;
};

/// A model whose SQL, BSON and media are about as large as said.
Model MakeModel(uint64_t seed, uint64_t mysql_bytes, uint64_t mongodb_bytes, uint64_t media_bytes,
                int64_t empty_tables);

/// The size of the few huge rows: up to 4 MB, less on a site that would consist of them.
size_t HugeRowBytes(const Model& model);
/// "OrgX", "CS101", "2024_T1" of a course.
std::string CourseOrg(int64_t course);
std::string CourseNumber(int64_t course);
std::string CourseRun(int64_t course);
/// "course-v1:OrgX+CS101+2024_T1".
std::string CourseKey(int64_t course);
/// The type and the 32 digits of a block.
std::string_view BlockType(int64_t block);
std::string BlockHex(const Model& model, int64_t course, int64_t block);
/// "block-v1:OrgX+CS101+2024_T1+type@problem+block@0123…".
std::string UsageKey(const Model& model, int64_t course, int64_t block);
std::string Username(const Model& model, int64_t user);
/// A course the user is in; `which` from 0 to 2, all different.
int64_t CourseOfUser(const Model& model, int64_t user, int64_t which);

}  // namespace sitegen
