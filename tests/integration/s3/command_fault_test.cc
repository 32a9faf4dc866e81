// The built command against a bucket behind a proxy that breaks its requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <map>
#include <thread>

#include "base/process_testing.h"
#include "base/temporary_folder_testing.h"
#include "cli/exit_status.h"
#include "files/tree_walk.h"
#include "http/fault_proxy_testing.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Where = Fault::Where;

constexpr size_t kMiB = size_t{1} << 20;
const std::string kName = "site.tar";

FaultRule Request(std::string method, std::string parameter, int skip = 0) {
  return {.method = std::move(method), .parameter = std::move(parameter), .skip = skip};
}

class CommandFaultTest : public testing::TestWithParam<TestPlace> {
 protected:
  CommandFaultTest() : settings_(SettingsOf(GetParam().server)), proxy_(settings_.endpoint) {
    WriteTestFile(media_ / "big", Pattern(28 * kMiB));
    WriteTestFile(media_ / "deep/er/small", "small");
    WriteTestFile(media_ / "empty", "");
  }

  std::vector<std::string> Arguments(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), OPENEDX_BACKUP_BINARY);
    if (arguments[1] == "backup" || arguments[1] == "restore") {
      arguments.insert(arguments.end(), {"--media", "media=" + media_.string(), "--only", "media"});
    }
    return arguments;
  }

  ProcessOptions Options() const {
    return {.environment = {{"S3_ENDPOINT_URL", proxy_.url()},
                            {"S3_ACCESS_KEY", settings_.credentials.access_key},
                            {"S3_SECRET_ACCESS_KEY", settings_.credentials.secret_key},
                            {"BACKUP_LOCATION", "s3://" + GetParam().bucket + "/" + folder_}}};
  }

  ProcessResult Run(std::vector<std::string> arguments) const {
    const ProcessResult result = RunProcess(Arguments(std::move(arguments)), Options());
    EXPECT_THAT(result.out + result.error, Not(HasSubstr(settings_.credentials.secret_key)));
    return result;
  }

  ProcessResult Backup() const { return Run({"backup", "--name", kName, "--compression", "none"}); }

  // Paths and contents, but for the note of what was restored.
  std::map<std::string, std::string> Media() const {
    std::map<std::string, std::string> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(media_)) {
      if (entry.path().filename() == files::kAppliedFile) continue;
      const std::string path = fs::relative(entry.path(), media_).string();
      files[path] = entry.is_regular_file() ? ReadTestFile(entry.path()) : "a folder";
    }
    return files;
  }

  void Disaster() const {
    fs::remove_all(media_ / "deep");
    WriteTestFile(media_ / "big", "overwritten");
    WriteTestFile(media_ / "later", "written after the backup");
  }

  TestBucket Direct() const { return {settings_, GetParam().bucket, folder_}; }

  const TemporaryFolder work_;
  const fs::path media_ = work_.path() / "media";
  const std::string folder_ = FreshFolder();
  const Settings settings_;
  FaultProxy proxy_;
};

INSTANTIATE_TEST_SUITE_P(Servers, CommandFaultTest, testing::ValuesIn(AllPlaces()), PlaceName);

// Whoever plays the hanging server, it is the proxy; and each of these waits for some seconds.
class StoppedCommandTest : public CommandFaultTest {};
INSTANTIATE_TEST_SUITE_P(Servers, StoppedCommandTest,
                         testing::Values(TestPlace{TestServer::kMinio, "plain"}), PlaceName);

TEST_P(CommandFaultTest, BackupAndRestoreComeOutRightThroughFaults) {
  const auto before = Media();
  proxy_.Inject(Request("POST", "uploads"), Fault::Drop(Where::kBefore));
  proxy_.Inject(Request("PUT", "partNumber=1"), Fault::Flip(Where::kRequest, kMiB));
  proxy_.Inject(Request("PUT", "partNumber=2"),
                Fault::Answer(Where::kBefore, 503, S3ErrorBody("SlowDown")));
  proxy_.Inject(Request("PUT", "partNumber=3"), Fault::Reset(Where::kRequest, 2 * kMiB));
  proxy_.Inject(Request("POST", "uploadId"), Fault::Drop(Where::kUnanswered));
  const ProcessResult backup = Backup();
  ASSERT_EQ(backup.status, 0) << backup.error;
  EXPECT_EQ(proxy_.injected(), 5);

  Disaster();
  proxy_.Heal();
  const FaultRule reads{.method = "GET", .when = [](const ProxiedRequest& request) {
                          return request.target.find(kName) != std::string::npos;
                        }};
  for (const Fault& fault :
       {Fault::Drop(Where::kBefore), Fault::Reset(Where::kResponse, 5000),
        Fault::Answer(Where::kBefore, 500, S3ErrorBody("InternalError")),
        Fault::Drop(Where::kResponse, 5000), Fault::Reset(Where::kUnanswered)}) {
    proxy_.Inject(reads, fault);
  }
  const ProcessResult restore = Run({"restore", "--yes"});
  ASSERT_EQ(restore.status, 0) << restore.error;
  EXPECT_EQ(proxy_.injected(), 10);
  EXPECT_TRUE(Media() == before) << "other files than those that were backed up";
  EXPECT_EQ(Direct().Unfinished(""), 0u);
}

TEST_P(CommandFaultTest, BytesThatAreDamagedOnTheWayAreNeverRestored) {
  ASSERT_EQ(Backup().status, 0);
  Disaster();
  const auto before = Media();
  FaultRule large{.method = "GET", .when = [](const ProxiedRequest& request) {
                    return request.target.find(kName) != std::string::npos;
                  }};
  large.skip = 1;  // the tail, with index and manifest
  large.times = 0;
  proxy_.Inject(large, Fault::Flip(Where::kResponse, 200'000));
  const int corrupt = static_cast<int>(ExitStatus::kCorrupt);
  const ProcessResult verify = Run({"verify"});
  EXPECT_EQ(verify.status, corrupt) << verify.error;
  const ProcessResult restore = Run({"restore", "--yes"});
  EXPECT_EQ(restore.status, corrupt) << restore.error;
  EXPECT_TRUE(Media() == before) << "something live was changed";
}

TEST_P(CommandFaultTest, ABackupThatFailsLeavesNothing) {
  FaultRule rule = Request("PUT", "partNumber=3");
  rule.times = 0;
  proxy_.Inject(rule, Fault::Answer(Where::kBefore, 403, S3ErrorBody("AccessDenied")));
  const ProcessResult backup = Backup();
  EXPECT_NE(backup.status, 0);
  EXPECT_THAT(backup.error, HasSubstr("s3:PutObject"));
  EXPECT_THAT(Direct().Names(), IsEmpty());
  EXPECT_EQ(Direct().Unfinished(""), 0u);
}

TEST_P(CommandFaultTest, ABackupThatIsStoppedLeavesNothing) {
  proxy_.Inject(Request("PUT", "partNumber=2"), Fault::Stall(Where::kRequest, kMiB));
  Process backup(Arguments({"backup", "--name", kName, "--compression", "none"}), Options());
  while (proxy_.injected() == 0 && backup.Runs()) std::this_thread::yield();
  backup.Signal(SIGTERM);
  const ProcessResult result = backup.Wait();
  EXPECT_NE(result.status, 0);
  EXPECT_EQ(proxy_.injected(), 1) << result.error;
  EXPECT_THAT(Direct().Names(), IsEmpty());
  EXPECT_EQ(Direct().Unfinished(""), 0u);
}

// Not even the request that would take the upload back is answered.
TEST_P(StoppedCommandTest, AServerThatHangsDoesNotHoldAStoppedBackup) {
  std::atomic<bool> hangs = false;
  FaultRule part = Request("PUT", "partNumber=2");
  part.when = [&](const ProxiedRequest&) { return hangs = true, false; };
  FaultRule all{.when = [&](const ProxiedRequest&) { return hangs.load(); }};
  all.times = 0;
  proxy_.Inject(part, Fault::Drop(Where::kBefore));
  proxy_.Inject(all, Fault::Stall(Where::kBefore));
  Process backup(Arguments({"backup", "--name", kName, "--compression", "none"}), Options());
  while (!hangs && backup.Runs()) std::this_thread::yield();
  backup.Signal(SIGTERM);
  const ProcessResult result = backup.Wait();
  EXPECT_EQ(result.status, static_cast<int>(ExitStatus::kInterrupted)) << result.error;
  EXPECT_THAT(result.error, HasSubstr("upload"));
}

TEST_P(StoppedCommandTest, AServerThatHangsDoesNotHoldAStoppedRestore) {
  ASSERT_EQ(Backup().status, 0);
  Disaster();
  const auto before = Media();
  FaultRule body{.method = "GET", .when = [](const ProxiedRequest& request) {
                   return request.target.find(kName) != std::string::npos;
                 }};
  body.skip = 1;
  body.times = 0;
  proxy_.Inject(body, Fault::Stall(Where::kResponse, 1000));
  Process restore(Arguments({"restore", "--yes"}), Options());
  while (proxy_.injected() == 0 && restore.Runs()) std::this_thread::yield();
  restore.Signal(SIGTERM);
  const ProcessResult result = restore.Wait();
  EXPECT_EQ(result.status, static_cast<int>(ExitStatus::kInterrupted)) << result.error;
  EXPECT_TRUE(Media() == before) << "something live was changed";
}

TEST_P(CommandFaultTest, ABackupThatCannotBeCheckedIsNotSaidToBeMissing) {
  std::atomic<bool> ended = false;
  FaultRule end = Request("POST", "uploadId");
  end.when = [&](const ProxiedRequest&) { return ended = true, false; };
  // A HEAD, and then the GET that asks why it was refused.
  FaultRule looks{.when = [&](const ProxiedRequest& request) {
    return ended && (request.method == "HEAD" || request.method == "GET");
  }};
  looks.times = 0;
  proxy_.Inject(end, Fault::Drop(Where::kBefore));
  proxy_.Inject(looks, Fault::Answer(Where::kBefore, 403, ""));
  const ProcessResult backup = Backup();
  EXPECT_NE(backup.status, 0);
  EXPECT_THAT(Direct().Names(), ElementsAre(kName));
  EXPECT_THAT(backup.error, HasSubstr("is in the bucket, unchecked"));
  EXPECT_THAT(backup.error, Not(HasSubstr("Nothing was written")));
}

TEST_P(CommandFaultTest, LooksTakeFewRequests) {
  ASSERT_EQ(Backup().status, 0);
  const size_t before = proxy_.Requests().size();
  const ProcessResult inspect = Run({"inspect", "--name", kName});
  EXPECT_EQ(inspect.status, 0) << inspect.error;
  EXPECT_LT(proxy_.Requests().size() - before, 5u);
}

}  // namespace
}  // namespace oxbackup::s3
