// What each table, collection and folder takes of an archive.
#include "engine/stored_sizes.h"

#include <gtest/gtest.h>

#include "archive/archive_reader.h"
#include "archive/archive_testing.h"
#include "base/run_context_testing.h"

namespace oxbackup {
namespace {

constexpr uint64_t kMegabyte = uint64_t{1} << 20;

ComponentManifest Component(const std::string& name, const std::vector<ObjectEntry>& objects) {
  ComponentManifest component;
  component.name = name;
  component.objects = objects;
  return component;
}

ObjectEntry Object(const std::string& database, const std::string& name, const std::string& kind) {
  ObjectEntry object;
  object.database = database;
  object.name = name;
  object.kind = kind;
  return object;
}

// An archive of these members whose manifest lists these components.
Manifest Archived(std::vector<std::vector<Member>> groups,
                  const std::vector<ComponentManifest>& components) {
  TestRun test;
  const std::string archive =
      WithManifest(WriteArchive("xz:1", std::move(groups), test.run),
                   [&](Manifest& manifest) { manifest.components = components; });
  return *OpenBytes(archive, test.run)->manifest();
}

TEST(StoredSizesTest, WhatIsLargeHasTheSizeOfItsBlocks) {
  const Manifest manifest = Archived(
      {{MakeFile("data/mysql_dump/openedx.random.00000.sql", RandomBytes(3 * kMegabyte, 1))},
       {MakeFile("data/mysql_dump/openedx.text.00000.sql", SqlText(3 * kMegabyte, 2))}},
      {Component("mysql",
                 {Object("openedx", "random", "table"), Object("openedx", "text", "table")})});
  const StoredSizes sizes = StoredSizesOf(manifest);
  const std::vector<ObjectEntry>& objects = manifest.components[0].objects;
  EXPECT_GE(sizes.objects.at(&objects[0]), 3 * kMegabyte);
  EXPECT_LT(sizes.objects.at(&objects[0]), 3 * kMegabyte + kMegabyte / 16);
  EXPECT_LT(sizes.objects.at(&objects[1]), 2 * kMegabyte);
  EXPECT_GT(sizes.objects.at(&objects[1]), 0u);
  EXPECT_EQ(sizes.components.at("mysql"),
            sizes.objects.at(&objects[0]) + sizes.objects.at(&objects[1]));
}

TEST(StoredSizesTest, NeighboursInABlockShareItBySize) {
  const Manifest manifest = Archived(
      {{MakeFile("data/mongodb_dump/openedx/a.bson.00000000", RandomBytes(30'000, 1)),
        MakeFile("data/mongodb_dump/openedx/b.bson.00000000", RandomBytes(90'000, 2))}},
      {Component("mongodb",
                 {Object("openedx", "a", "collection"), Object("openedx", "b", "collection")})});
  const StoredSizes sizes = StoredSizesOf(manifest);
  const std::vector<ObjectEntry>& objects = manifest.components[0].objects;
  EXPECT_NEAR(static_cast<double>(sizes.objects.at(&objects[0])), 30'000, 2'000);
  EXPECT_NEAR(static_cast<double>(sizes.objects.at(&objects[1])), 90'000, 2'000);
}

TEST(StoredSizesTest, FoldersHaveWhatLiesBelowThemAndRoutinesNothing) {
  const Manifest manifest = Archived(
      {{MakeFile("data/caddy/x", "a key"), MakeFile("data/media/one/a.png", RandomBytes(9'000, 1)),
        MakeFile("data/media/two/a.png", RandomBytes(9'000, 2))},
       {MakeFile("data/mysql_dump/openedx.t-schema.sql", "CREATE TABLE t (id INT)")}},
      {Component("mysql", {Object("openedx", "t", "procedure"), Object("openedx", "t", "table")}),
       Component("caddy", {Object("", "", "tree")}),
       Component("media", {Object("", "one", "tree"), Object("", "two", "tree")})});
  const StoredSizes sizes = StoredSizesOf(manifest);
  EXPECT_FALSE(sizes.objects.contains(&manifest.components[0].objects[0]));
  EXPECT_TRUE(sizes.objects.contains(&manifest.components[0].objects[1]));
  EXPECT_TRUE(sizes.objects.contains(&manifest.components[1].objects[0]));
  for (const ObjectEntry& tree : manifest.components[2].objects) {
    EXPECT_NEAR(static_cast<double>(sizes.objects.at(&tree)), 9'000, 2'000);
  }
}

}  // namespace
}  // namespace oxbackup
