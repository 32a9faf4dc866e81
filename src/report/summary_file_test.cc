#include "report/summary_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/temporary_folder_testing.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;

TEST(SummaryFileTest, IsEmptyUntilTheEndAndThenOneLine) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "summary.json";
  WriteTestFile(path, "of yesterday, and longer than today's\n");
  PrepareSummaryFile(path, "--summary-file");
  EXPECT_EQ(ReadTestFile(path), "");
  WriteSummaryFile(path, "{}");
  EXPECT_EQ(ReadTestFile(path), "{}\n");
}

TEST(SummaryFileTest, IsWrittenInPlace) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "summary.json";
  const std::string other = folder.path() / "mounted";
  WriteTestFile(other, "");
  std::filesystem::create_hard_link(other, path);
  PrepareSummaryFile(path, "--summary-file");
  WriteSummaryFile(path, "{}");
  EXPECT_EQ(ReadTestFile(other), "{}\n");
}

TEST(SummaryFileTest, WhatCannotBeWrittenIsRefusedAtTheStart) {
  const TemporaryFolder folder;
  for (const std::string& path :
       {(folder.path() / "missing" / "summary.json").string(), folder.path().string(),
        (folder.path() / "missing" / "..").string()}) {
    try {
      PrepareSummaryFile(path, "SUMMARY_FILE");
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("SUMMARY_FILE"));
      EXPECT_THAT(error.what(), HasSubstr(path));
    }
  }
}

TEST(SummaryFileTest, APipeWithoutAReaderIsNotWaitedFor) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THROW(PrepareSummaryFile(path, "--summary-file"), Error);
  EXPECT_THROW(WriteSummaryFile(path, "{}"), Error);
}

TEST(SummaryFileTest, AFullDiskIsTold) {
  PrepareSummaryFile("/dev/full", "--summary-file");
  EXPECT_THROW(WriteSummaryFile("/dev/full", "{}"), Error);
}

}  // namespace
}  // namespace oxbackup
