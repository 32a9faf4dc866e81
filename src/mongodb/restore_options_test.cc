#include "mongodb/restore_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/error.h"

namespace oxbackup::mongodb {
namespace {

using Name = std::pair<std::string, std::string>;

TEST(MongorestoreOptions, TakesThoseThatThePredecessorsReadmeNames) {
  const RestoreOptions options = ParseMongorestoreOptions(
      "-j 1 --noIndexRestore --bypassDocumentValidation --writeConcern='{w: 1}' "
      "--nsInclude openedx.* --nsExclude \"openedx.fs.*\"");
  EXPECT_EQ(options.workers, 1);
  EXPECT_TRUE(options.no_index_restore);
  EXPECT_EQ(options.write_concern, "{w: 1}");
  EXPECT_THAT(options.ns_include, testing::ElementsAre("openedx.*"));
  EXPECT_EQ(ParseMongorestoreOptions("--numParallelCollections=3").workers, 3);
  EXPECT_EQ(ParseMongorestoreOptions("-j2 --numInsertionWorkersPerCollection=8").workers, 8);
  EXPECT_EQ(ParseMongorestoreOptions("--numInsertionWorkersPerCollection=8 -j2").workers, 8);
  EXPECT_EQ(ParseMongorestoreOptions("--numInsertionWorkersPerCollection 2 -j 1").workers, 2);
  EXPECT_EQ(ParseMongorestoreOptions("-j 1 --numInsertionWorkersPerCollection 2").workers, 2);
  EXPECT_EQ(ParseMongorestoreOptions("").workers, RestoreOptions().workers);
}

TEST(MongorestoreOptions, NamesWhatItDoesNotKnow) {
  for (const std::string text : {"--oplogReplay", "--drop", "plain", "-x 3"}) {
    try {
      static_cast<void>(ParseMongorestoreOptions(text));
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), testing::HasSubstr(text.substr(0, text.find(' '))));
    }
  }
}

TEST(MongorestoreOptions, RefusesValuesThatDoNotFit) {
  for (const char* const text :
       {"-j", "-j 0", "-j many", "--nsFrom a.*", "--nsInclude", "--noIndexRestore=perhaps",
        "'unended", "--nsFrom a.* --nsTo b.*.*", "--nsFrom a.$x --nsTo b.c"}) {
    EXPECT_THROW(static_cast<void>(ParseMongorestoreOptions(text)), Error) << text;
  }
}

TEST(NamespaceFilter, ChoosesAndRenamesLikeMongorestore) {
  RestoreOptions options = ParseMongorestoreOptions(
      "--nsExclude '*.secret' --nsFrom '$db$.users_$n$' --nsTo 'copy_$db$.$n$_users' "
      "--nsFrom 'openedx.*' --nsTo 'new.*'");
  options.databases = {"openedx", "forum"};
  const NamespaceFilter filter(options);
  EXPECT_TRUE(filter.Includes("openedx", "fs.files"));
  EXPECT_FALSE(filter.Includes("openedx", "secret"));
  EXPECT_FALSE(filter.Includes("other", "fs.files"));
  EXPECT_EQ(filter.Target("forum", "users_a.b"), Name("copy_forum", "a.b_users"));
  EXPECT_EQ(filter.Target("openedx", "fs.files"), Name("new", "fs.files"));
  EXPECT_EQ(filter.Target("forum", "contents"), Name("forum", "contents"));
}

}  // namespace
}  // namespace oxbackup::mongodb
