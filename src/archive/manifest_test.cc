#include "archive/manifest.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "base/hash.h"

namespace oxbackup {
namespace {

Manifest Sample() {
  Manifest manifest;
  manifest.tool_version = "5.0.0";
  manifest.host = "campus \"one\"\n";
  manifest.compression = "xz:1";
  manifest.started = *ParseRfc3339("2026-11-22T20:48:20.123Z");
  manifest.finished = *ParseRfc3339("2026-11-22T20:49:20.456Z");
  manifest.skew_ms = -11;
  manifest.warnings = {"one", "two \xE2\x82\xAC"};
  ComponentManifest mysql;
  mysql.name = "mysql";
  mysql.server_flavour = "MySQL";
  mysql.server_version = "9.7.0";
  mysql.consistency = "lock held 38 ms";
  mysql.positions = {{"binlog_file", "binlog.000014"}};
  mysql.moment = manifest.started;
  mysql.lock_ms = 38;
  mysql.unseen = {{"openedx", "triggers, events"}};
  mysql.objects = {{"openedx", "auth_user", "table", 17, 12345, std::string(32, 'a'), {}},
                   {"openedx", "v", "view", 0, 0, "", {{"definer", "root@%"}}}};
  ComponentManifest caddy;
  caddy.name = "caddy";
  manifest.components = {mysql, caddy};
  manifest.members = {{"data/FORMAT", 0, 512, 600, Sha256Digest(std::string(64, 'b'))},
                      {"data/caddy/\xE9", 1, 2048, 0, {}}};
  manifest.blocks = {{700, 1536, std::string(32, 'c')}, {200, 512, std::string(32, 'd')}};
  return manifest;
}

// The manifest with a change in its text, sealed anew.
std::string Edited(const std::string& from, const std::string& to) {
  std::string text = SerializeManifest(Sample());
  text.replace(text.find(from), from.size(), to);
  const size_t seal = text.rfind("  \"sha256\": \"");
  text.resize(seal);
  return text + "  \"sha256\": \"" + Sha256Hex(text) + "\"\n}\n";
}

ErrorKind KindOf(const std::string& text) {
  try {
    ParseManifest(text);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

TEST(Manifest, ComesBackAsItWas) {
  const std::string text = SerializeManifest(Sample());
  const Manifest parsed = ParseManifest(text);
  EXPECT_EQ(SerializeManifest(parsed), text);
  EXPECT_EQ(parsed.host, "campus \"one\"\n");
  EXPECT_EQ(parsed.skew_ms, -11);
  EXPECT_EQ(parsed.members[1].path, "data/caddy/\xE9");
  EXPECT_EQ(parsed.blocks[1].stored_size, 200);
  ASSERT_NE(parsed.Find("mysql"), nullptr);
  EXPECT_EQ(parsed.Find("mysql")->objects[1].details.at("definer"), "root@%");
  EXPECT_EQ(parsed.Find("mysql")->moment, Sample().started);
  EXPECT_EQ(parsed.Find("media"), nullptr);
}

TEST(Manifest, HasOneMemberALine) {
  const std::string text = SerializeManifest(Sample());
  EXPECT_NE(text.find("\n    {\"path\":\"data/FORMAT\",\"block\":0,\"offset\":512,\"size\":600,"),
            std::string::npos)
      << text;
}

TEST(Manifest, WrongTypesAndRangesAreCorrupt) {
  EXPECT_EQ(KindOf(Edited("\"host\"", "\"host\"")), ErrorKind::kInternal);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"size\":600", "\"size\":-600"},
           {"\"size\":600", "\"size\":600.5"},
           {"\"size\":600", "\"size\":\"600\""},
           {"\"size\":600", "\"size\":1e3"},
           {"\"size\":600", "\"size\":99999999999999999999999"},
           {"\"size\":600", "\"other\":600"},
           {"\"size\":600", "\"size\":null"},
           {"\"raw\":512", "\"raw\":513"},
           {"\"stored\":700", "\"stored\":0"},
           {"data/FORMAT", "../FORMAT"},
           {"data/FORMAT", "/FORMAT"},
           {"data/FORMAT", "data/a\\u0000b"},
           {"\"path_bytes\":\"64", "\"path_bytes\":\"6g"},
           {"\"warnings\": [", "\"warnings\": [3,"},
           {"\"warnings\": [", "\"warnings\": {["},
           {"\"members\": [", "\"members\": [7,"},
           {"\"members\": [", "\"memberz\": ["},
           {"\"blocks\": [", "\"blocks\": [[],"},
           {"2026-11-22T20:48:20.123Z", "yesterday"},
           {"\"lock_ms\": 38", "\"lock_ms\": 3.8"},
           {std::string(64, 'b'), std::string(63, 'b') + "G"},
           {std::string(32, 'c'), "c"}}) {
    EXPECT_EQ(KindOf(Edited(from, to)), ErrorKind::kCorrupt) << from << " -> " << to;
  }
}

TEST(Manifest, EveryFlippedByteIsFound) {
  const std::string text = SerializeManifest(Sample());
  for (size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_THROW(ParseManifest(damaged), Error) << at;
    EXPECT_THROW(ParseManifest(text.substr(0, at)), Error) << at;
  }
}

TEST(Manifest, DeepNestingAndEmptyTextAreNoTrouble) {
  EXPECT_EQ(KindOf(""), ErrorKind::kCorrupt);
  EXPECT_EQ(KindOf("{}"), ErrorKind::kCorrupt);
  EXPECT_EQ(KindOf(Edited("\"warnings\": [", "\"warnings\": " + std::string(100'000, '['))),
            ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace oxbackup
