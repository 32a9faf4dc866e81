#include "report/metrics_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <thread>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/kept_log_testing.h"
#include "base/temporary_folder_testing.h"
#include "report/run_summary_testing.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MetricsFileTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() / "openedx.prom"; }

  void Update(const RunSummary& run, const MetricLabels& labels = {}) {
    UpdateMetricsFile(path(), MetricsOf(run), labels, std::stop_token(), log_);
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  const TemporaryFolder folder_;
  KeptLog log_;
};

TEST_F(MetricsFileTest, IsReadableForTheCollectorWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  Update(SuccessfulBackup());
  ::umask(before);
  struct stat file {};
  ASSERT_EQ(::stat(path().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0644u);
  EXPECT_THAT(Names(), SizeIs(1));
  EXPECT_THAT(log_.Messages(), IsEmpty());
}

TEST_F(MetricsFileTest, CommandsWriteSideBySide) {
  Update(SuccessfulBackup());
  Update(SuccessfulRestore());
  Update(FailedBackup());
  const std::string text = ReadTestFile(path());
  EXPECT_THAT(text, HasSubstr("\nopenedx_backup_last_success_timestamp_seconds 1795659634.500\n"));
  EXPECT_THAT(text, HasSubstr("\nopenedx_backup_last_run_status 1\n"));
  EXPECT_THAT(text, HasSubstr("\nopenedx_restore_swap_seconds 1.500\n"));
}

TEST_F(MetricsFileTest, ManyAtTheSameTimeLoseNothing) {
  std::vector<std::jthread> threads;
  for (int number = 0; number < 8; ++number) {
    threads.emplace_back([&, number] {
      Update(SuccessfulBackup(), {{"site", "s" + std::to_string(number)}});
    });
  }
  threads.clear();
  const std::string text = ReadTestFile(path());
  for (int number = 0; number < 8; ++number) {
    EXPECT_THAT(text,
                HasSubstr("openedx_backup_warnings{site=\"s" + std::to_string(number) + "\"}"));
  }
}

TEST_F(MetricsFileTest, WhatAKilledRunLeftIsNoHindrance) {
  WriteTestFile(folder_.path() / ".openedx.prom.new", "half");
  Update(SuccessfulBackup());
  EXPECT_THAT(Names(), SizeIs(1));
}

TEST_F(MetricsFileTest, LinesThatAreNoMetricsAreTold) {
  WriteTestFile(path(), "<html>\n");
  Update(SuccessfulBackup());
  ASSERT_THAT(log_.Messages(), SizeIs(1));
  EXPECT_THAT(log_.Messages()[0], HasSubstr("1 line"));
}

TEST_F(MetricsFileTest, AFolderThatIsLockedForGoodIsNotWaitedForAfterAStop) {
  const FileDescriptor other(::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  std::stop_source stop;
  stop.request_stop();
  UpdateMetricsFile(path(), MetricsOf(SuccessfulBackup()), {}, stop.get_token(), log_);
  EXPECT_THAT(ReadTestFile(path()), HasSubstr("openedx_backup_warnings 0"));
}

TEST_F(MetricsFileTest, AFolderThatIsGoneIsTold) {
  try {
    UpdateMetricsFile(folder_.path() / "gone" / "x.prom", MetricsOf(SuccessfulBackup()), {},
                      std::stop_token(), log_);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), "No such file or directory");
  }
}

TEST_F(MetricsFileTest, ImpossibleOnesAreRefusedAtTheStart) {
  CheckMetricsFile(path(), "--metrics-file");
  const std::string folder = folder_.path();
  std::filesystem::create_directory(folder + "/folder.prom");
  for (const std::string& bad : {folder + "/metrics.txt", folder + "/.prom",
                                 folder + "/gone/x.prom", folder + "/folder.prom", folder}) {
    try {
      CheckMetricsFile(bad, "METRICS_FILE");
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("METRICS_FILE")) << bad;
      EXPECT_FALSE(error.hint().empty());
    }
  }
}

}  // namespace
}  // namespace oxbackup
