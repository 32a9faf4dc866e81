#include "store/s3/credentials/credentials_testing.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "http/url.h"

namespace oxbackup::s3 {

HttpResponse ReroutingClient::Perform(const HttpRequest& request, const std::stop_token& stop) {
  const Url url = ParseUrl(request.url);
  {
    const std::lock_guard lock(mutex_);
    urls_.push_back(request.url);
    last_timeout_ = request.timeout;
  }
  HttpRequest rerouted = request;
  rerouted.url = server_url_ + url.path + (url.query.empty() ? "" : "?" + url.query);
  return client_->Perform(rerouted, stop);
}

std::vector<std::string> ReroutingClient::Urls() const {
  const std::lock_guard lock(mutex_);
  return urls_;
}

std::chrono::milliseconds ReroutingClient::LastTimeout() const {
  const std::lock_guard lock(mutex_);
  return last_timeout_;
}

CredentialsTest::CredentialsTest()
    : handler_([](const TestHttpRequest&) { return TestHttpResponse{.status = 404}; }),
      server_([this](const TestHttpRequest& request) {
        TestHttpServer::Handler handler;
        {
          const std::lock_guard lock(mutex_);
          handler = handler_;
        }
        return handler(request);
      }),
      http_(server_.url()),
      local_http_(server_.url()) {
  clock_.Set("2026-11-26T12:00:00Z");
}

CredentialsTest::~CredentialsTest() = default;

void CredentialsTest::Answer(TestHttpServer::Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

void CredentialsTest::Answer(const TestHttpResponse& response) {
  Answer([response](const TestHttpRequest&) { return response; });
}

std::unique_ptr<CredentialSource> CredentialsTest::Make(const CredentialSettings& settings) {
  const Environment environment =
      [variables = environment_](const std::string& name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    if (at == variables.end()) return std::nullopt;
    return at->second;
  };
  return MakeCredentialSource(settings, environment, http_, local_http_, clock_, log_);
}

Error CredentialsTest::Failure(const CredentialSettings& settings) {
  return FailureOf(*Make(settings));
}

Error CredentialsTest::FailureOf(CredentialSource& source) {
  try {
    source.Get({});
  } catch (const Error& error) {
    EXPECT_EQ(WholeText(error).find("HUSH"), std::string::npos) << WholeText(error);
    EXPECT_FALSE(error.hint().empty()) << WholeText(error);
    return error;
  }
  ADD_FAILURE() << "there are keys";
  return {ErrorKind::kInternal, "there are keys"};
}

std::string CredentialsTest::File(const std::string& name, const std::string& text) {
  WriteTestFile(folder_.path() / name, text);
  return folder_.path() / name;
}

std::string CredentialsTest::KeysJson(const std::string& access_key,
                                      const std::string& expiration) {
  return nlohmann::json{{"Code", "Success"},
                        {"AccessKeyId", access_key},
                        {"SecretAccessKey", "HUSH of " + access_key},
                        {"Token", "HUSH token"},
                        {"Expiration", expiration}}
      .dump();
}

std::string WholeText(const Error& error) {
  return fmt::format("{}; {}; {}; {}; {}", error.what(), fmt::join(error.contexts(), ", "),
                     error.cause(), error.tried(), error.hint());
}

}  // namespace oxbackup::s3
