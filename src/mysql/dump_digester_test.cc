#include "mysql/dump_digester.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"

namespace oxbackup::mysql {
namespace {

/// Gives a few bytes at each read.
class SlowSource final : public ByteSource {
 public:
  SlowSource(std::string_view bytes, size_t step) : left_(bytes), step_(step) {}
  size_t Read(char* buffer, size_t size) override {
    const size_t count = std::min({size, step_, left_.size()});
    left_.copy(buffer, count);
    left_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view left_;
  size_t step_;
};

constexpr std::string_view kChunk =
    "INSERT INTO `t` (`a`,`b`) VALUES\n(1,'x'),\n(2,'y;'),\n(3,NULL);\n"
    "INSERT INTO `t` (`a`,`b`) VALUES\n(4,');');\n";

ContentDigest Expected() {
  ContentDigest digest;
  for (const char* row : {"(1,'x')", "(2,'y;')", "(3,NULL)", "(4,');')"}) digest.Add(row);
  return digest;
}

ComponentManifest ManifestWith(const ContentDigest& digest) {
  ComponentManifest manifest;
  ObjectEntry table;
  table.database = "d";
  table.name = "t";
  table.kind = "table";
  table.items = digest.count();
  table.digest = digest.Hex();
  manifest.objects.push_back(table);
  ObjectEntry view;
  view.database = "d";
  view.name = "v";
  view.kind = "view";
  manifest.objects.push_back(view);
  return manifest;
}

TEST(DigestRows, CountsRowsWhereverReadsEnd) {
  for (size_t step = 1; step <= kChunk.size(); ++step) {
    SlowSource source(kChunk, step);
    EXPECT_EQ(DigestRows(source), Expected()) << step;
  }
}

TEST(DumpDigester, AddsUpTheMembersOfATable) {
  DumpDigester digester;
  const size_t half = kChunk.find("INSERT", 1);
  MemoryByteSource first(kChunk.substr(half));
  MemoryByteSource second(kChunk.substr(0, half));
  MemoryByteSource other("(1,2),\n");
  digester.Feed("data/mysql_dump/d.t.h0123456789abcdef.sql", first);
  digester.Feed("data/mysql_dump/d.t.00000000000000000001.sql", second);
  digester.Feed("data/mysql_dump/d.t-schema.sql", other);
  EXPECT_EQ(digester.Compare(ManifestWith(Expected())), 1U);
}

TEST(DumpDigester, AnyDifferenceIsAnError) {
  const auto compare = [](std::string_view chunk, const ComponentManifest& manifest) {
    DumpDigester digester;
    MemoryByteSource source(chunk);
    digester.Feed("data/mysql_dump/d.t.1.sql", source);
    return digester.Compare(manifest);
  };
  std::string changed(kChunk);
  changed[changed.find('x')] = 'X';
  EXPECT_THROW(compare(changed, ManifestWith(Expected())), Error);
  EXPECT_THROW(compare(kChunk.substr(0, 60), ManifestWith(Expected())), Error);
  EXPECT_THROW(compare(kChunk, ComponentManifest()), Error);
  EXPECT_THROW(DumpDigester().Compare(ManifestWith(Expected())), Error);
}

}  // namespace
}  // namespace oxbackup::mysql
