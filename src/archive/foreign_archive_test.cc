// Archives that others made, and what is no archive at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "archive/archive_check.h"
#include "archive/archive_testing.h"
#include "archive/tar_format.h"
#include "base/error.h"
#include "base/run_context_testing.h"

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

class ForeignArchive : public testing::Test {
 protected:
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
  const auto members = ReadMembers(TarOf({root, MakeFile("./data/x", "y")}), 1, run_);
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
