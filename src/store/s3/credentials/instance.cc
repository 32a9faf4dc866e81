// Keys of the role of the machine, from Amazon EC2's instance metadata, version 2. Source: Amazon
// EC2 User Guide, "Use the Instance Metadata Service" and "Retrieve security credentials from
// instance metadata".
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "http/url.h"
#include "store/s3/credentials/answers.h"
#include "store/s3/credentials/providers.h"

namespace oxbackup::s3 {
namespace {

// On most machines nobody is there to answer, and each of them waits so long once.
constexpr std::chrono::seconds kFirstTimeLimit{1};
// Somebody has answered: the next calls may take their time.
constexpr std::chrono::seconds kInstanceTimeLimit{5};
constexpr char kRoles[] = "/latest/meta-data/iam/security-credentials/";

class Instance final : public CredentialProvider {
 public:
  Instance(Environment environment, HttpClient& local_http)
      : environment_(std::move(environment)), http_(local_http) {}

  Finding Find(const std::stop_token& stop) override {
    if (LowerCase(Variable(environment_, "AWS_EC2_METADATA_DISABLED")) == "true") {
      return Finding::None("AWS_EC2_METADATA_DISABLED is set");
    }
    const std::string address = Address();
    KeyService service{.name = fmt::format("the machine's metadata service at {}", address),
                       .hint = "check the role (instance profile) of the machine"};
    const Session session = Start(address, service, stop);
    if (session.token.empty()) return Finding::None(session.absence);

    const HttpResponse roles = Get(address + kRoles, session.token, stop);
    if (!roles.ok() && roles.status != 404) throw RefusalOf(roles, service);
    const std::string role =
        roles.ok() ? roles.body.substr(0, roles.body.find_first_of("\r\n")) : "";
    if (role.empty()) return Finding::None("the machine has no role (instance profile)");
    const HttpResponse keys = Get(address + kRoles + EncodeUrlPart(role), session.token, stop);
    if (!keys.ok()) throw RefusalOf(keys, service);
    service.name += ", role " + role;
    return Finding::Keys(KeysOfJson(keys.body, service));
  }

 private:
  std::string Address() const {
    const std::string chosen = Variable(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (chosen.empty()) {
      const bool is_ipv6 =
          LowerCase(Variable(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")) == "ipv6";
      return is_ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    }
    std::string address = WithContext([] { return "reading AWS_EC2_METADATA_SERVICE_ENDPOINT"; },
                                      [&] { return ParseUrl(chosen).ToString(); });
    while (address.ends_with('/')) address.pop_back();
    return address;
  }

  // A session with the service, or why there is none.
  struct Session {
    std::string token = {};
    std::string absence = {};
  };

  // Other clouds have something else at that address, or nothing.
  Session Start(const std::string& address, const KeyService& service,
                const std::stop_token& stop) {
    HttpResponse response;
    try {
      response = http_.Perform({.method = "PUT",
                                .url = address + "/latest/api/token",
                                .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}},
                                .timeout = kFirstTimeLimit},
                               stop);
    } catch (const Error& error) {
      if (!error.transient()) throw;
      return {.absence = service.name + " does not answer: this is no machine of EC2"};
    }
    if (response.status >= 500) throw RefusalOf(response, service);
    if (!response.ok() || response.body.empty() || !IsPlain(response.body)) {
      return {.absence = fmt::format("{} gives no token (HTTP {})", service.name, response.status)};
    }
    return {.token = std::move(response.body)};
  }

  HttpResponse Get(const std::string& url, const std::string& token, const std::stop_token& stop) {
    return http_.Perform({.url = url,
                          .headers = {{"X-aws-ec2-metadata-token", token}},
                          .timeout = kInstanceTimeLimit},
                         stop);
  }

  const Environment environment_;
  HttpClient& http_;
};

}  // namespace

std::unique_ptr<CredentialProvider> InstanceProvider(Environment environment,
                                                     HttpClient& local_http) {
  return std::make_unique<Instance>(std::move(environment), local_http);
}

}  // namespace oxbackup::s3
