// The places where keys may come from, one each; credentials.cc asks them in turn.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/environment.h"
#include "http/http_client.h"
#include "store/s3/credentials/credentials.h"

namespace oxbackup::s3 {

/// What a place had: keys, or the reason why it has none.
struct Finding {
  std::optional<Credentials> keys = std::nullopt;
  std::string absence = {};  ///< for messages: "AWS_ACCESS_KEY_ID is not set"

  static Finding Keys(Credentials found) { return {.keys = std::move(found)}; }
  static Finding None(std::string why) { return {.absence = std::move(why)}; }
};

/// One place. Find() is called by one thread at a time.
class CredentialProvider {
 public:
  virtual ~CredentialProvider() = default;
  /// Looks now. Finding nothing where nothing is set up is a return value; throws Error(kUsage)
  /// where what is set up cannot work, Error(kStore) where a service does not give what it should
  /// (transient() when it may later), Error(kCancelled).
  virtual Finding Find(const std::stop_token& stop) = 0;
};

/// The environment variable's value; empty when it is not set.
std::string Variable(const Environment& environment, const std::string& name);

/// Keys that stand somewhere in plain text. Nothing when there are none. Throws Error(kUsage) that
/// names both when one of the pair is missing.
struct NamedText {
  std::string name;  ///< of the setting
  std::string text;
};
std::optional<Credentials> KeysOf(const NamedText& access_key, const NamedText& secret_key,
                                  const std::string& session_token, const std::string& place);

/// S3_ACCESS_KEY and S3_SECRET_ACCESS_KEY.
std::unique_ptr<CredentialProvider> SettingsProvider(const CredentialSettings& settings);
/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
std::unique_ptr<CredentialProvider> VariablesProvider(Environment environment);
/// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, for keys from STS. `http` has to outlive it.
std::unique_ptr<CredentialProvider> WebIdentityProvider(const CredentialSettings& settings,
                                                        Environment environment, HttpClient& http);
/// The files' profile: keys, or a web identity. `http` (for STS) has to outlive it.
std::unique_ptr<CredentialProvider> ProfileProvider(const CredentialSettings& settings,
                                                    Environment environment, HttpClient& http);
/// AWS_CONTAINER_CREDENTIALS_*: ECS, EKS Pod Identity. `local_http` has to outlive it.
std::unique_ptr<CredentialProvider> ContainerProvider(Environment environment,
                                                      HttpClient& local_http);
/// The metadata of the machine in EC2. `local_http` has to outlive it.
std::unique_ptr<CredentialProvider> InstanceProvider(Environment environment,
                                                     HttpClient& local_http);

}  // namespace oxbackup::s3
