#include "store/s3/credentials/web_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>

#include "base/error.h"
#include "http/url.h"
#include "store/s3/credentials/answers.h"
#include "store/s3/credentials/providers.h"

namespace oxbackup::s3 {
namespace {

constexpr std::chrono::seconds kStsTimeLimit{30};

// What to check when STS says no with this code.
std::string HintFor(const std::string& code, const WebIdentity& identity) {
  if (code == "ExpiredTokenException") {
    return fmt::format(
        "the token in {} is too old: check that the cluster renews it, and the "
        "clocks of both sides",
        identity.token_file);
  }
  if (code == "AccessDenied") {
    return fmt::format(
        "let the trust policy of {} name the cluster's OIDC provider, this service "
        "account and the audience sts.amazonaws.com",
        identity.role_arn);
  }
  return "check AWS_ROLE_ARN, and the OIDC provider of the cluster in IAM";
}

Error StsRefusal(const HttpResponse& response, const std::string& name,
                 const WebIdentity& identity) {
  pugi::xml_document document;
  document.load_buffer(response.body.data(), response.body.size());
  const pugi::xml_node said = document.child("ErrorResponse").child("Error");
  const std::string code = said.child_value("Code");
  return Refusal({.name = name, .hint = HintFor(code, identity)}, response.status, code,
                 said.child_value("Message"));
}

class VariablesIdentity final : public CredentialProvider {
 public:
  VariablesIdentity(CredentialSettings settings, Environment environment, HttpClient& http)
      : settings_(std::move(settings)), environment_(std::move(environment)), http_(http) {}

  Finding Find(const std::stop_token& stop) override {
    const WebIdentity identity{.token_file = Variable(environment_, "AWS_WEB_IDENTITY_TOKEN_FILE"),
                               .role_arn = Variable(environment_, "AWS_ROLE_ARN"),
                               .session_name = Variable(environment_, "AWS_ROLE_SESSION_NAME")};
    if (identity.token_file.empty()) {
      return Finding::None("AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    }
    if (identity.role_arn.empty()) {
      throw Error(ErrorKind::kUsage,
                  "the environment has AWS_WEB_IDENTITY_TOKEN_FILE, but not AWS_ROLE_ARN")
          .Hint(
              "annotate the service account with eks.amazonaws.com/role-arn, or set AWS_ROLE_ARN");
    }
    const std::string endpoint = StsEndpoint(StsRegion(settings_, environment_), environment_);
    return Finding::Keys(AssumeRole(identity, endpoint, http_, stop));
  }

 private:
  const CredentialSettings settings_;
  const Environment environment_;
  HttpClient& http_;
};

}  // namespace

std::string StsRegion(const CredentialSettings& settings, const Environment& environment) {
  return settings.region.empty() ? FindRegion(settings, environment) : settings.region;
}

std::string StsEndpoint(const std::string& region, const Environment& environment) {
  const std::string chosen = Variable(environment, "AWS_ENDPOINT_URL_STS");
  if (!chosen.empty()) {
    return WithContext([] { return "reading AWS_ENDPOINT_URL_STS"; },
                       [&] { return ParseUrl(chosen).ToString(); });
  }
  if (region.empty()) return "https://sts.amazonaws.com/";
  const auto is_part_of_a_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (!std::ranges::all_of(region, is_part_of_a_name)) {
    throw Error(ErrorKind::kUsage, fmt::format("'{}' is no region that STS can have", region))
        .Hint("regions look like eu-central-1; AWS_ENDPOINT_URL_STS names an STS that has none");
  }
  return fmt::format("https://sts.{}.amazonaws.com{}/", region,
                     region.starts_with("cn-") ? ".cn" : "");
}

Credentials AssumeRole(const WebIdentity& identity, const std::string& endpoint, HttpClient& http,
                       const std::stop_token& stop) {
  const std::string token = ReadToken(identity.token_file, "the web identity's token");
  const std::string body = EncodeQuery({
      {"Action", "AssumeRoleWithWebIdentity"},
      {"RoleArn", identity.role_arn},
      {"RoleSessionName", identity.session_name.empty() ? "openedx-backup" : identity.session_name},
      {"Version", "2011-06-15"},
      {"WebIdentityToken", token},
  });
  const std::string name = fmt::format("STS at {} for role {}", endpoint, identity.role_arn);
  // In the body, since URLs end up in logs.
  const HttpResponse response =
      http.Perform({.method = "POST",
                    .url = endpoint,
                    .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                    .body = body,
                    .timeout = kStsTimeLimit},
                   stop);
  if (!response.ok()) throw StsRefusal(response, name, identity);
  pugi::xml_document document;
  document.load_buffer(response.body.data(), response.body.size());
  const pugi::xml_node keys = document.child("AssumeRoleWithWebIdentityResponse")
                                  .child("AssumeRoleWithWebIdentityResult")
                                  .child("Credentials");
  return KeysOfAnswer({.access_key = keys.child_value("AccessKeyId"),
                       .secret_key = keys.child_value("SecretAccessKey"),
                       .session_token = keys.child_value("SessionToken"),
                       .expiration = keys.child_value("Expiration")},
                      {.name = name, .hint = HintFor("", identity)});
}

std::unique_ptr<CredentialProvider> WebIdentityProvider(const CredentialSettings& settings,
                                                        Environment environment, HttpClient& http) {
  return std::make_unique<VariablesIdentity>(settings, std::move(environment), http);
}

}  // namespace oxbackup::s3
