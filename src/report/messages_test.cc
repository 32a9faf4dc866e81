#include "report/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "report/run_summary_testing.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ServiceAddress At(std::string_view text) { return ParseServiceAddress(text, "PING_URL"); }

std::string PingUrl(std::string_view text, RunEvent event) {
  return PingMessage(At(text), event, "").url.ToString();
}

TEST(ServiceAddressTest, UserAndPasswordBecomeAHeader) {
  const ServiceAddress address = At(" https://me%40x:s3cr%3At@push.example.com:9091/base/?a=b@c\n");
  EXPECT_EQ(address.url.ToString(), "https://push.example.com:9091/base/?a=b@c");
  EXPECT_EQ(address.authorization, "Basic bWVAeDpzM2NyOnQ=");  // me@x:s3cr:t
  EXPECT_EQ(address.Name(), "PING_URL (push.example.com)");
}

TEST(ServiceAddressTest, AnAtInThePathIsNoUser) {
  EXPECT_EQ(At("https://hooks.example.com/@team").authorization, "");
  EXPECT_EQ(At("https://hooks.example.com/@team").url.path, "/@team");
  EXPECT_EQ(At("https://hooks.example.com?x=@y").authorization, "");
}

TEST(ServiceAddressTest, WhatIsNoAddressIsRefusedWithoutRepeatingIt) {
  for (const std::string text :
       {"hunter2", "", "ftp://hunter2.example.com/", "https://", "https://hunter2 x/",
        "http://a\nb/", "://hunter2", "https://user:hunter2@", "file:///hunter2"}) {
    try {
      At(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
      const std::string said = error.what() + error.cause() + error.hint();
      EXPECT_THAT(said, HasSubstr("PING_URL")) << text;
      EXPECT_THAT(said, Not(HasSubstr("hunter2"))) << text;
    }
  }
}

TEST(PingTest, GoesWhereHealthchecksWantsIt) {
  EXPECT_EQ(PingUrl("https://hc-ping.com/uuid", RunEvent::kStart),
            "https://hc-ping.com/uuid/start");
  EXPECT_EQ(PingUrl("https://hc-ping.com/uuid", RunEvent::kSuccess), "https://hc-ping.com/uuid");
  EXPECT_EQ(PingUrl("https://hc-ping.com/uuid/", RunEvent::kFailure),
            "https://hc-ping.com/uuid/fail");
  EXPECT_EQ(PingUrl("https://hc.example.com/ping/x?create=1", RunEvent::kFailure),
            "https://hc.example.com/ping/x/fail?create=1");
}

TEST(WebhookTest, IsTheSummaryWithItsEvent) {
  const Message message =
      WebhookMessage(At("https://x/y"), EndOf(FailedBackup()), SummaryJson(FailedBackup()));
  const nlohmann::json json = nlohmann::json::parse(message.body);
  EXPECT_EQ(json["event"], "failure");
  EXPECT_EQ(json["type"], "summary");
  EXPECT_EQ(json["error"]["message"], "cannot connect to MySQL");
  EXPECT_EQ(message.content_type, "application/json");
}

TEST(PushTest, TheGroupIsOfTheCommandAndTheLabels) {
  const ServiceAddress gateway = At("http://push:9091/base/");
  const Message message =
      PushMessage(gateway, "backup", {{"env", "a b"}, {"site", "campus/main?>"}},
                  MetricsOf(SuccessfulBackup()));
  EXPECT_EQ(message.url.ToString(),
            "http://push:9091/base/metrics/job/openedx_backup/command/backup/env/a%20b/"
            "site@base64/Y2FtcHVzL21haW4_Pg==");
  EXPECT_THAT(message.body, HasSubstr("\nopenedx_backup_last_run_status 0\n"))
      << "labels of the group do not stand in the metrics";
}

}  // namespace
}  // namespace oxbackup
