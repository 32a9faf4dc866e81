// Keys from the service that a container's agent has beside it: Amazon ECS and, since its tokens
// come in a file, EKS Pod Identity. Source: AWS SDKs and Tools Reference Guide, "Container
// credential provider".
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "http/url.h"
#include "store/s3/credentials/answers.h"
#include "store/s3/credentials/providers.h"

namespace oxbackup::s3 {
namespace {

constexpr std::chrono::seconds kContainerTimeLimit{2};
constexpr char kEcsAddress[] = "http://169.254.170.2";

bool IsLoopback(const std::string& host) {
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1) {
    return ntohl(address.s_addr) >> 24 == 127;
  }
  return host == "localhost" || host == "[::1]";
}

// A token must not go in plain text to anybody else than this machine and the agents of AWS.
bool MayBeAsked(const Url& url) {
  static constexpr std::array<std::string_view, 3> kAgents = {"169.254.170.2", "169.254.170.23",
                                                              "[fd00:ec2::23]"};
  return url.scheme == "https" || IsLoopback(url.host) ||
         std::ranges::find(kAgents, url.host) != kAgents.end();
}

class Container final : public CredentialProvider {
 public:
  Container(Environment environment, HttpClient& local_http)
      : environment_(std::move(environment)), http_(local_http) {}

  Finding Find(const std::stop_token& stop) override {
    const std::optional<Url> url = Address();
    if (!url) return Finding::None("AWS_CONTAINER_CREDENTIALS_* are not set");
    HttpRequest request{.url = url->ToString(),
                        .headers = {{"Accept", "application/json"}},
                        .timeout = kContainerTimeLimit};
    if (const std::string token = Token(); !token.empty()) {
      request.headers.emplace_back("Authorization", token);
    }
    const KeyService service{
        .name = fmt::format("the container's credential service at {}://{}", url->scheme,
                            url->Authority()),
        .hint = "check the task's role, or the pod identity association of the service account"};
    const HttpResponse response = http_.Perform(request, stop);
    if (!response.ok()) throw RefusalOf(response, service);
    return Finding::Keys(KeysOfJson(response.body, service));
  }

 private:
  std::optional<Url> Address() const {
    const std::string relative = Variable(environment_, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    if (!relative.empty()) {
      // Anything else would belong to the host's name.
      if (!relative.starts_with('/')) {
        throw Error(ErrorKind::kUsage, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path")
            .Cause("it does not begin with '/'")
            .Hint("unset it, unless Amazon ECS has set it");
      }
      return WithContext([] { return "reading AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"; },
                         [&] { return ParseUrl(kEcsAddress + relative); });
    }
    const std::string full = Variable(environment_, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (full.empty()) return std::nullopt;
    const Url url = WithContext([] { return "reading AWS_CONTAINER_CREDENTIALS_FULL_URI"; },
                                [&] { return ParseUrl(full); });
    if (!MayBeAsked(url)) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI names {} over http", url.host))
          .Hint(
              "over http only this machine, 169.254.170.2, 169.254.170.23 and [fd00:ec2::23] "
              "are asked for keys; use https");
    }
    return url;
  }

  // Of the file first: it is renewed, a variable is not.
  std::string Token() const {
    const std::string file = Variable(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!file.empty()) return ReadToken(file, "the token of the container's service");
    const std::string token = Variable(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (!IsPlain(token)) {
      throw Error(ErrorKind::kUsage, "AWS_CONTAINER_AUTHORIZATION_TOKEN is no token")
          .Cause("it has control characters or blanks around it")
          .Hint("set it to the token alone, without a line break");
    }
    return token;
  }

  const Environment environment_;
  HttpClient& http_;
};

}  // namespace

std::unique_ptr<CredentialProvider> ContainerProvider(Environment environment,
                                                      HttpClient& local_http) {
  return std::make_unique<Container>(std::move(environment), local_http);
}

}  // namespace oxbackup::s3
