// What an operator sees and types: the display, the question, Ctrl-C.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>

#include "base/file_descriptor.h"
#include "command_testing.h"
#include "terminal_testing.h"

namespace oxbackup {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kCtrlC[] = "\x03";
constexpr char kCtrlD[] = "\x04";
constexpr char kHideCursor[] = "\x1b[?25l";
constexpr char kShowCursor[] = "\x1b[?25h";

std::string Behind(const std::string& text, const std::string& mark) {
  const size_t at = text.rfind(mark);
  return at == std::string::npos ? "" : text.substr(at + mark.size());
}

class QuestionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    site_.Backup();
    WriteTestFile(site_.caddy() + "/certificates/campus.crt", "another");
    restore_ =
        site_.StartOnTerminal({"restore", "--from", site_.archives(), "--caddy", site_.caddy()});
    ASSERT_TRUE(restore_->Await("Go on? [y/N] ")) << restore_->written();
    EXPECT_THAT(restore_->written(), HasSubstr("This replaces"));
  }
  std::string Certificate() const {
    return ReadTestFile(site_.caddy() + "/certificates/campus.crt");
  }

  CommandSite site_;
  std::unique_ptr<TerminalProcess> restore_;
};

TEST_F(QuestionTest, YesRestores) {
  restore_->Type("y\n");
  EXPECT_EQ(restore_->Wait(), 0) << restore_->written();
  EXPECT_EQ(Certificate(), "a certificate");
  const std::string end = Behind(restore_->written(), kShowCursor);
  EXPECT_THAT(end, HasSubstr("Restored"));
  EXPECT_THAT(end, HasSubstr("5 entries"));
  EXPECT_THAT(end, HasSubstr("Verified before the swap"));
}

TEST_F(QuestionTest, AnythingElseChangesNothing) {
  restore_->Type("n\n");
  EXPECT_EQ(restore_->Wait(), 130);
  EXPECT_THAT(restore_->written(), HasSubstr("Nothing was changed."));
  EXPECT_EQ(Certificate(), "another");
}

TEST_F(QuestionTest, TheEndOfInputIsNoYes) {
  restore_->Type(kCtrlD);
  EXPECT_EQ(restore_->Wait(), 130);
  EXPECT_EQ(Certificate(), "another");
}

TEST_F(QuestionTest, CtrlCIsNoYesAndSaysSoInALineOfItsOwn) {
  restore_->Type(kCtrlC);
  EXPECT_EQ(restore_->Wait(), 130);
  EXPECT_THAT(restore_->written(), HasSubstr("\r\nStopped on request. "));
  EXPECT_EQ(Certificate(), "another");
}

TEST(DisplayTest, ABarIsShownMeanwhileAndTheSummaryAtTheEnd) {
  const CommandSite site;
  std::filesystem::resize_file(site.caddy() + "/locks/empty", uint64_t{1} << 30);
  const auto backup = site.StartOnTerminal(
      {"backup", "--to", site.archives(), "--caddy", site.caddy(), "--name", "n"},
      {{"LC_ALL", "C.UTF-8"}});
  ASSERT_TRUE(backup->Await(kHideCursor));
  ASSERT_TRUE(backup->Await("caddy dump"));
  ASSERT_TRUE(backup->Await("░"));
  ASSERT_TRUE(backup->Await("n.tar.xz · "));
  ASSERT_TRUE(backup->Await(" so far"));
  EXPECT_EQ(backup->Wait(), 0) << backup->written();
  const std::string end = Behind(backup->written(), kShowCursor);
  EXPECT_THAT(end, HasSubstr("Complete"));
  EXPECT_THAT(end, HasSubstr("Verified: every stored byte read back"));
  EXPECT_THAT(end, Not(HasSubstr("so far")));
}

TEST(DisplayTest, WithoutUtf8TheBarIsOfAscii) {
  const CommandSite site;
  std::filesystem::resize_file(site.caddy() + "/locks/empty", uint64_t{1} << 30);
  const auto backup = site.StartOnTerminal(
      {"backup", "--to", site.archives(), "--caddy", site.caddy()}, {{"LC_ALL", "C"}});
  ASSERT_TRUE(backup->Await("caddy dump"));
  ASSERT_TRUE(backup->Await("--"));
  EXPECT_EQ(backup->Wait(), 0);
  EXPECT_THAT(backup->written(), Not(HasSubstr("█")));
  EXPECT_THAT(backup->written(), Not(ContainsRegex("\x1b\\[[0-9]+m")));
}

TEST(CtrlCTest, TheFirstShowsAtOnceThatTheRunStopsAndNothingIsLeft) {
  const CommandSite site;
  std::filesystem::resize_file(site.caddy() + "/locks/empty", uint64_t{64} << 30);
  const auto backup =
      site.StartOnTerminal({"backup", "--to", site.archives(), "--caddy", site.caddy(),
                            "--compression", "xz:9", "--threads", "1"});
  ASSERT_TRUE(backup->Await(" written"));
  const auto typed = std::chrono::steady_clock::now();
  backup->Type(kCtrlC);
  ASSERT_TRUE(backup->Await("Stopping"));
  // Generous: a machine that runs other tests beside.
  EXPECT_LT(std::chrono::steady_clock::now() - typed, std::chrono::seconds(2));
  EXPECT_EQ(backup->Wait(), 130);
  const std::string end = Behind(backup->written(), "Stopping");
  EXPECT_THAT(end, HasSubstr("press Ctrl-C again to stop at once"));
  EXPECT_THAT(end, Not(HasSubstr("so far")));
  EXPECT_THAT(end, HasSubstr(kShowCursor));
  EXPECT_THAT(end, HasSubstr("Stopped on request. Nothing was written. Exit status 130."));
  EXPECT_THAT(site.Stored(), IsEmpty());
}

// A server that takes connections and never says a word: whoever connects waits.
class SilentServer {
 public:
  SilentServer() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_.get(), 8), 0);
    EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  std::string port() const { return std::to_string(port_); }

 private:
  FileDescriptor socket_;
  int port_ = 0;
};

TEST(CtrlCTest, TheSecondEndsTheRunAtOnceWithTheCursorBack) {
  const CommandSite site;
  const SilentServer server;
  const auto backup = site.StartOnTerminal({"backup", "--to", site.archives(), "--mysql-host",
                                            "127.0.0.1", "--mysql-port", server.port()});
  ASSERT_TRUE(backup->Await(" so far"));
  backup->Type(kCtrlC);
  ASSERT_TRUE(backup->Await("press Ctrl-C again"));
  backup->Type(kCtrlC);
  EXPECT_EQ(backup->Wait(), 130);
  EXPECT_THAT(Behind(backup->written(), kShowCursor), HasSubstr("\r\nEnded at once: "));
  EXPECT_THAT(site.Stored(), IsEmpty());
}

}  // namespace
}  // namespace oxbackup
