#include "mongodb/verify.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "mongodb/bson_stream.h"
#include "mongodb/dump_path.h"
#include "mongodb/restore_testing.h"

namespace oxbackup::mongodb {
namespace {

class DumpDigesterTest : public testing::Test {
 protected:
  DumpDigesterTest() {
    archive_.Add("openedx", "fs.files", {R"({"_id": 1})", R"({"_id": 2})"});
    archive_.Add("openedx", "empty", {});
    archive_.AddView("openedx", "view", R"({"viewOn": "empty", "pipeline": []})");
  }

  void Digest(DumpDigester& digester) {
    archive_.Open()->Read(
        [](const std::string&) { return true; },
        [&](const MemberInfo& info, ByteSource& content) { digester.Add(info.path, content); }, 2,
        run_.run);
  }

  TestArchive archive_;
  TestRun run_;
};

TEST_F(DumpDigesterTest, FindsAnArchiveEqualToItsManifest) {
  DumpDigester digester;
  Digest(digester);
  digester.Compare(*archive_.manifest().Find("mongodb"));
}

TEST_F(DumpDigesterTest, NamesTheCollectionThatDiffers) {
  DumpDigester digester;
  Digest(digester);
  Manifest manifest = archive_.manifest();
  manifest.components[0].objects[0].digest[0] ^= 1;
  try {
    digester.Compare(*manifest.Find("mongodb"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_NE(std::string(error.what()).find("openedx.fs.files"), std::string::npos);
  }
  manifest.components[0].objects.erase(manifest.components[0].objects.begin());
  EXPECT_THROW(digester.Compare(*manifest.Find("mongodb")), Error);
}

TEST(BsonStream, RefusesEveryTruncation) {
  const std::string bytes = [] {
    std::string document(Bson().Add("_id", "text").bytes());
    return document + document;
  }();
  for (size_t size = 1; size < bytes.size(); ++size) {
    if (size == bytes.size() / 2) continue;  // a border
    MemoryByteSource source(std::string_view(bytes).substr(0, size));
    BsonStream documents(source, "x.bson");
    EXPECT_THROW(while (documents.Next()){}, Error) << size;
  }
}

TEST(DumpPath, UnderstandsOurNamesAndMongodumps) {
  const auto parse = [](const std::string& path) {
    return ParseDumpPath("data/mongodb_dump/" + path);
  };
  using enum DumpMemberKind;
  EXPECT_EQ(parse("openedx/fs.chunks.bson"), (DumpMember{kData, "openedx", "fs.chunks", ""}));
  EXPECT_EQ(parse("openedx/fs%2Echunks.bson.5f0000000000000000000001-2"),
            (DumpMember{kData, "openedx", "fs.chunks", "5f0000000000000000000001-2"}));
  EXPECT_EQ(parse("o/a%2Fb.metadata.json"), (DumpMember{kMetadata, "o", "a/b", ""}));
  EXPECT_EQ(parse("o/100%.bson"), (DumpMember{kData, "o", "100%", ""}));
  EXPECT_EQ(parse("oplog.bson"), (DumpMember{kOplog, "", "", ""}));
  EXPECT_EQ(parse("prelude.json"), std::nullopt);
  EXPECT_EQ(parse("o/readme.txt"), std::nullopt);
  EXPECT_EQ(ParseDumpPath("data/caddy/x.bson"), std::nullopt);
  EXPECT_THROW(static_cast<void>(parse("o/a.bson.gz")), Error);
}

}  // namespace
}  // namespace oxbackup::mongodb
