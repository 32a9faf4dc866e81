// Damage of every kind is found, and nothing wrong is ever delivered as whole.
#include <gtest/gtest.h>

#include <random>

#include "archive/archive_check.h"
#include "archive/archive_testing.h"
#include "archive/format_member.h"
#include "archive/manifest_block.h"
#include "base/error.h"
#include "base/run_context_testing.h"
#include "stream/block_codec.h"

namespace oxbackup {
namespace {

// Sanitizers look for what a damaged archive does to memory, and each position takes them long: a
// sample does, of all parts and all bits. Plain builds try every byte.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStep = 13;
#else
constexpr size_t kStep = 1;
#endif

class Corruption : public testing::TestWithParam<const char*> {
 protected:
  // Two groups, so more than one block; one of them compresses, one does not.
  std::string SmallArchive() {
    return WriteArchive(GetParam(),
                        {{MakeFile("data/mysql_dump/a.sql", SqlText(600, 1)),
                          MakeFile("data/mysql_dump/b.sql", "x")},
                         {MakeFile("data/media/c.jpg", RandomBytes(300, 2))}},
                        run_);
  }

  void ExpectCorrupt(const std::string& archive, const std::string& what) {
    try {
      CheckWholeArchive(MemoryRangedSource(archive), 1, {}, run_);
      ADD_FAILURE() << what << " was not found";
    } catch (const Error& error) {
      EXPECT_TRUE(error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kUsage)
          << what << ": " << error.what();
    }
  }

  // What is delivered without an error must be what was written, whichever way it is read.
  void ExpectNothingWrong(const std::string& archive,
                          const std::map<std::string, ReadMember>& expected,
                          const std::string& what) {
    for (const bool pipe : {false, true}) {
      std::map<std::string, ReadMember> got;
      try {
        const auto reader = pipe ? OpenPipe(archive) : OpenBytes(archive, run_);
        got = ReadMembers(*reader, 1, run_);
      } catch (const Error&) {
        continue;
      }
      EXPECT_EQ(got.size(), expected.size()) << what;
      for (const auto& [path, member] : got) {
        ASSERT_TRUE(expected.contains(path)) << what << ": " << path;
        EXPECT_EQ(member.content, expected.at(path).content) << what;
      }
    }
  }

  TestRun test_;
  const RunContext& run_ = test_.run;
};

INSTANTIATE_TEST_SUITE_P(Codecs, Corruption, testing::Values("xz", "zstd", "none"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Corruption, EveryFlippedByteIsFound) {
  const std::string archive = SmallArchive();
  CheckWholeArchive(MemoryRangedSource(archive), 1, {}, run_);
  const auto expected = ReadMembers(archive, 1, run_);
  for (size_t at = 0; at < archive.size(); at += kStep) {
    std::string damaged = archive;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    const std::string what = "flip of byte " + std::to_string(at);
    ExpectCorrupt(damaged, what);
    EXPECT_THROW(CheckStoredBytes(MemoryRangedSource(damaged), run_), Error) << what;
    ExpectNothingWrong(damaged, expected, what);
  }
}

TEST_P(Corruption, EveryTruncationIsFound) {
  const std::string archive = SmallArchive();
  for (size_t size = 0; size < archive.size(); size += kStep) {
    const std::string damaged = archive.substr(0, size);
    ExpectCorrupt(damaged, "truncation to " + std::to_string(size));
    EXPECT_THROW(OpenBytes(damaged, run_), Error) << size;
    EXPECT_THROW(static_cast<void>(ReadManifest(MemoryRangedSource(damaged))), Error) << size;
  }
}

TEST_P(Corruption, ATruncatedArchiveOfOursIsNotTakenForAForeignOne) {
  const std::string archive = SmallArchive();
  // After the block of data/FORMAT, wherever the file ends, its first member tells whose it is.
  const auto tail = ReadArchiveTail(MemoryRangedSource(archive));
  const size_t first_block = tail->header_size + tail->manifest.blocks[0].stored_size;
  for (size_t size = first_block; size < archive.size(); size += 7) {
    try {
      OpenBytes(archive.substr(0, size), run_);
      ADD_FAILURE() << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
      EXPECT_NE(std::string(error.what()).find("incomplete or damaged"), std::string::npos)
          << size << ": " << error.what();
    }
  }
}

TEST_P(Corruption, ATruncatedPipeIsIncomplete) {
  const std::string archive = SmallArchive();
  const auto tail = ReadArchiveTail(MemoryRangedSource(archive));
  for (size_t size = 0; size < tail->manifest_block_offset; size += 5) {
    EXPECT_THROW(ReadMembers(*OpenPipe(archive.substr(0, size)), 1, run_), Error) << size;
  }
}

TEST_P(Corruption, BytesBeforeBetweenAndBehindAreFound) {
  const std::string archive = SmallArchive();
  for (const size_t size : {1, 4, 512, 1024}) {
    ExpectCorrupt(archive + std::string(size, '\0'), "zeros behind");
    ExpectCorrupt(std::string(size, '\0') + archive, "zeros before");
    std::string between = archive;
    between.insert(archive.size() / 2, std::string(size, 'x'));
    ExpectCorrupt(between, "bytes between");
  }
  ExpectCorrupt(archive + archive, "the archive twice");
}

TEST_P(Corruption, RandomDamageNeverDeliversWrongData) {
  const std::string archive = SmallArchive();
  const auto expected = ReadMembers(archive, 1, run_);
  std::mt19937 random(42);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = archive;
    const size_t begin = random() % damaged.size();
    const size_t length = 1 + random() % 64;
    switch (random() % 3) {
      case 0:
        for (size_t at = begin; at < std::min(begin + length, damaged.size()); ++at) {
          damaged[at] = static_cast<char>(random());
        }
        break;
      case 1:
        damaged.erase(begin, length);
        break;
      default:
        damaged.insert(begin, RandomBytes(length, static_cast<uint32_t>(random())));
    }
    if (damaged == archive) continue;
    ExpectCorrupt(damaged, "round " + std::to_string(round));
    ExpectNothingWrong(damaged, expected, "round " + std::to_string(round));
  }
}

TEST_P(Corruption, ManifestsThatLieAreCaught) {
  const std::string archive = SmallArchive();
  CheckWholeArchive(MemoryRangedSource(WithManifest(archive, [](Manifest&) {})), 1, {}, run_);
  const std::vector<std::function<void(Manifest&)>> lies = {
      [](Manifest& m) { m.members[1].size += 512; },
      [](Manifest& m) { m.members[1].size -= 1; },
      [](Manifest& m) { m.members[1].size = UINT64_MAX; },
      [](Manifest& m) { m.members[1].offset = UINT64_MAX - 511; },
      [](Manifest& m) { m.members[1].offset += 512; },
      [](Manifest& m) { m.members[1].block = 77; },
      [](Manifest& m) { m.members[1].path = "data/other"; },
      [](Manifest& m) { m.members[1].path = "../etc/passwd"; },
      [](Manifest& m) { m.members[1].path = "/etc/passwd"; },
      [](Manifest& m) { m.members[1].sha256 = Sha256Digest(std::string(64, '0')); },
      [](Manifest& m) { m.members[1].sha256 = {}; },
      [](Manifest& m) { m.members.pop_back(); },
      [](Manifest& m) { m.members.clear(); },
      [](Manifest& m) { m.members.push_back(m.members.back()); },
      [](Manifest& m) { std::swap(m.members[1], m.members[2]); },
      [](Manifest& m) { m.blocks[1].digest = std::string(32, '0'); },
      [](Manifest& m) { m.blocks[1].raw_size = UINT64_MAX; },
      [](Manifest& m) { m.blocks[1].raw_size = uint64_t{1} << 40; },
      [](Manifest& m) { m.blocks[1].raw_size += 512; },
      [](Manifest& m) { m.blocks[1].stored_size = UINT64_MAX; },
      [](Manifest& m) { m.blocks[1].stored_size += 4; },
      [](Manifest& m) { m.blocks[1].stored_size = 0; },
      [](Manifest& m) { m.blocks.pop_back(); },
      [](Manifest& m) { m.blocks.push_back(m.blocks.back()); },
      [](Manifest& m) { m.compression = "none:7"; },
      [](Manifest& m) { m.compression = m.compression == "none" ? "xz:1" : "none"; },
  };
  for (size_t i = 0; i < lies.size(); ++i) {
    const std::string lying = WithManifest(archive, lies[i]);
    ExpectCorrupt(lying, "lie " + std::to_string(i));
    EXPECT_THROW(ReadMembers(lying, 2, run_), Error) << "lie " << i;
  }
}

TEST_P(Corruption, ANewerFormatIsRefusedByName) {
  const std::string newer =
      WithManifest(SmallArchive(), [](Manifest& m) { m.format_version = kFormatVersion + 1; });
  try {
    OpenBytes(newer, run_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("format 2"), std::string::npos);
    EXPECT_FALSE(error.hint().empty());
  }
}

}  // namespace
}  // namespace oxbackup
