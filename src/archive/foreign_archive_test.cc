// Archives that others made, and what is no archive at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <iterator>

#include "archive/archive_check.h"
#include "archive/archive_testing.h"
#include "archive/tar_format.h"
#include "base/error.h"
#include "base/run_context_testing.h"
#include "stream/block_codec.h"

namespace oxbackup {
namespace {

std::string Fixture(const std::string& name) {
  std::ifstream file(std::string(OPENEDX_BACKUP_FIXTURES "/") + name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string TarOf(const std::vector<Member>& members) {
  std::string tar;
  for (const Member& member : members) {
    tar += EncodeTarHeader(member.info) + member.content;
    tar.resize(PadToTarRecord(tar.size()));
  }
  return tar + std::string(kTarEndBytes, '\0');
}

// A piece of a compressed file that is one by itself.
std::string Zstd(const std::string& raw) {
  BlockRecord record;
  const std::string_view piece = raw;
  return std::string(
      MakeBlockCodec({Codec::kZstd, 1})->NewEncoder()->Encode({&piece, 1}, &record).view());
}
std::string Xz(const std::string& raw) {
  const auto codec = MakeBlockCodec({Codec::kXz, 1});
  BlockRecord record;
  const std::string_view piece = raw;
  const ByteBuffer block = codec->NewEncoder()->Encode({&piece, 1}, &record);
  return codec->StreamHeader() + std::string(block.view()) + codec->Trailer({record});
}
std::string Gzip(const std::string& raw) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, raw.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
  stream.avail_in = static_cast<uInt>(raw.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class ForeignArchive : public testing::Test {
 protected:
  void ExpectCorrupt(const std::string& archive, const std::string& words) {
    for (const bool pipe : {false, true}) {
      try {
        ReadMembers(*(pipe ? OpenPipe(archive) : OpenBytes(archive, run_)), 1, run_);
        ADD_FAILURE() << "was read: " << words;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
        EXPECT_THAT(error.what(), testing::HasSubstr(words));
      }
    }
  }

  TestRun test_;
  const RunContext& run_ = test_.run;
};

TEST_F(ForeignArchive, OfThePredecessorIsReadInEveryCompression) {
  for (const char* const name : {"predecessor.tar", "predecessor.tar.xz", "predecessor.tar.gz",
                                 "predecessor.tar.zst", "predecessor.tar.bz2", "python.tar.xz"}) {
    const std::string archive = Fixture(std::string("foreign/") + name);
    const auto reader = OpenBytes(archive, run_);
    EXPECT_EQ(reader->manifest(), nullptr);
    EXPECT_FALSE(reader->random_access());
    EXPECT_EQ(ReadManifest(MemoryRangedSource(archive)), nullptr);
    for (int again = 0; again < 2; ++again) {
      const auto members = ReadMembers(*reader, 2, run_);
      EXPECT_THAT(members.at("data/mysql_dump.sql").content, testing::StartsWith("-- MySQL dump"));
      EXPECT_EQ(members.at("data/caddy/x").content, "key\n");
      EXPECT_EQ(members.at("data/mongodb_dump/openedx/modulestore.bson").content.size(), 22);
      EXPECT_EQ(members.at("data/caddy").info.type, MemberType::kDirectory);
    }
    EXPECT_EQ(ReadMembers(*OpenPipe(archive), 1, run_).count("data/caddy/x"), 1) << name;
    EXPECT_THROW(CheckWholeArchive(MemoryRangedSource(archive), 1, {}, run_), Error);
  }
}

TEST_F(ForeignArchive, NamesOutsideAsciiSurviveTheCLocale) {
  EXPECT_EQ(ReadMembers(Fixture("foreign/python.tar.xz"), 1, run_).count("data/caddy/caf\xC3\xA9"),
            1);
}

TEST_F(ForeignArchive, TruncatedIsCorrupt) {
  for (const char* const name : {"predecessor.tar", "predecessor.tar.xz", "predecessor.tar.gz",
                                 "predecessor.tar.zst", "predecessor.tar.bz2"}) {
    const std::string archive = Fixture(std::string("foreign/") + name);
    // A plain tar ends in zeros, of which only the first are its end mark.
    const size_t end = archive.find_last_not_of('\0') + 1;
    for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, end / 4, end / 2, end - 20}) {
      const std::string cut = archive.substr(0, size);
      try {
        ReadMembers(cut, 1, run_);
        ADD_FAILURE() << name << " cut to " << cut.size();
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
      }
      EXPECT_THROW(ReadMembers(*OpenPipe(cut), 1, run_), Error) << name;
    }
  }
}

TEST_F(ForeignArchive, AChangedByteGivesAnErrorOrTheSameContent) {
  for (const char* const name :
       {"predecessor.tar.xz", "predecessor.tar.gz", "predecessor.tar.zst", "predecessor.tar.bz2"}) {
    const std::string archive = Fixture(std::string("foreign/") + name);
    const auto expected = ReadMembers(archive, 1, run_);
    for (size_t at = 0; at < archive.size(); ++at) {
      std::string damaged = archive;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x04);
      try {
        const auto members = ReadMembers(damaged, 1, run_);
        ASSERT_EQ(members.size(), expected.size()) << name << " at " << at;
        for (const auto& [path, member] : expected) {
          ASSERT_EQ(members.at(path).content, member.content) << name << " at " << at;
        }
        // A gzip member's last eight bytes are the checks of its content.
        EXPECT_FALSE(name == std::string("predecessor.tar.gz") && at + 8 >= archive.size()) << at;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
      }
    }
  }
}

TEST_F(ForeignArchive, ACompressedFileThatIsCutWhereAPieceOfItEndsIsIncomplete) {
  const std::string tar = TarOf({MakeFile("data/a", SqlText(5000, 1)), MakeFile("data/b", "b")});
  const std::string first = tar.substr(0, 3 * kTarRecord);
  const std::string second = tar.substr(first.size());
  for (const auto& pack : {Zstd, Xz, Gzip}) {
    EXPECT_EQ(ReadMembers(pack(first) + pack(second), 1, run_).size(), 2);
    // Zeros behind the last piece are a tape's.
    EXPECT_EQ(ReadMembers(pack(tar) + pack(std::string(10240, '\0')), 1, run_).size(), 2);
    // Cut in the middle of a member, then between the last member and the end mark.
    ExpectCorrupt(pack(first), "member");
    ExpectCorrupt(pack(tar.substr(0, tar.size() - kTarEndBytes)), "no end mark");
  }
}

TEST_F(ForeignArchive, ZerosAtTheEndOfAMemberAreNoEndMark) {
  const std::string tar = TarOf({MakeFile("data/a", std::string(4096, '\0'))});
  EXPECT_EQ(ReadMembers(tar, 1, run_).size(), 1);
  ExpectCorrupt(tar.substr(0, tar.size() - kTarEndBytes), "no end mark");
}

TEST_F(ForeignArchive, WhatFollowsTheEndMarkIsNotPassedOver) {
  const std::string tar = TarOf({MakeFile("data/a", "a")});
  for (const uint64_t padding : {uint64_t{0}, uint64_t{10240}, uint64_t{1} << 20}) {
    const std::string padded = tar + std::string(padding, '\0');
    EXPECT_EQ(ReadMembers(padded, 1, run_).size(), 1) << padding;
    ExpectCorrupt(padded + tar, "goes on behind its end mark");
    ExpectCorrupt(Zstd(padded) + Zstd(tar), "goes on behind its end mark");
  }
}

TEST_F(ForeignArchive, WhatIsNoArchiveIsCorrupt) {
  for (const std::string& bytes :
       {std::string("hello"), RandomBytes(5000, 1), std::string(4096, '\0'), SqlText(10'000, 1),
        "\xFD"
        "7zXZ" +
            RandomBytes(500, 2),
        "\x28\xB5\x2F\xFD" + RandomBytes(500, 2)}) {
    try {
      OpenBytes(bytes, run_);
      ADD_FAILURE() << bytes.substr(0, 10);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
    }
    EXPECT_THROW(ReadMembers(*OpenPipe(bytes), 1, run_), Error);
  }
}

TEST_F(ForeignArchive, HostilePathsAreRefusedBeforeTheyAreDelivered) {
  for (const char* const path : {"../etc/passwd", "data/../../x", "/etc/passwd", "data/.."}) {
    const std::string tar = TarOf({MakeFile("data/good", "x"), MakeFile(path, "evil")});
    for (const bool pipe : {false, true}) {
      const auto reader = pipe ? OpenPipe(tar) : OpenBytes(tar, run_);
      std::vector<std::string> seen;
      try {
        reader->Read([](const std::string&) { return true; },
                     [&](const MemberInfo& info, ByteSource&) { seen.push_back(info.path); }, 1,
                     run_);
        ADD_FAILURE() << path;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
        EXPECT_THAT(error.what(), testing::HasSubstr("unsafe path"));
      }
      EXPECT_THAT(seen, testing::ElementsAre("data/good"));
    }
  }
}

TEST_F(ForeignArchive, LinkTargetsAreReportedAsTheyAre) {
  Member link = MakeFile("data/link", "");
  link.info.type = MemberType::kSymlink;
  link.info.link_target = "/etc/../etc/passwd";
  const auto members = ReadMembers(TarOf({link}), 1, run_);
  EXPECT_EQ(members.at("data/link").info.link_target, "/etc/../etc/passwd");
}

TEST_F(ForeignArchive, DotSlashIsDropped) {
  Member root = MakeFile(".", "");
  root.info.type = MemberType::kDirectory;
  const auto members = ReadMembers(TarOf({root, MakeFile("././data//./x", "y")}), 1, run_);
  EXPECT_EQ(members.size(), 1);
  EXPECT_EQ(members.at("data/x").content, "y");
}

TEST_F(ForeignArchive, AConsumersErrorEndsTheReading) {
  const std::string archive = Fixture("foreign/predecessor.tar.xz");
  const auto reader = OpenBytes(archive, run_);
  EXPECT_THROW(reader->Read([](const std::string&) { return true; },
                            [](const MemberInfo&, ByteSource&) {
                              throw Error(ErrorKind::kSource, "the server is gone");
                            },
                            1, run_),
               Error);
}

}  // namespace
}  // namespace oxbackup
