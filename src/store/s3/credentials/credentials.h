// Keys for a bucket, and where they come from.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/environment.h"
#include "base/log.h"
#include "http/http_client.h"

namespace oxbackup::s3 {

/// A pair of keys. Never printed or logged but for the origin.
struct Credentials {
  std::string access_key = {};
  std::string secret_key = {};
  std::string session_token = {};  ///< empty: none; of temporary keys
  std::optional<TimePoint> expires = std::nullopt;
  std::string origin = {};  ///< for messages: "S3_ACCESS_KEY", "the web identity of role arn:…"
};

/// Gives keys that are valid now. Thread-safe.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// Keys that hold for some minutes more; fetched anew when the last ones expire sooner. Throws
  /// Error(kUsage) when there are none, saying where they were looked for, Error(kStore) when the
  /// service that gives them refuses (transient() when it may work later), Error(kCancelled).
  virtual Credentials Get(const std::stop_token& stop) = 0;
  /// The server says that these keys, which Get gave, have expired: by a clock that is not ours, or
  /// because somebody put new ones into their file. Returns whether the next Get may give others;
  /// false as well within a minute after the last time.
  virtual bool Renew(const Credentials& expired) = 0;
};

/// What the operator has set; empty texts count as not set.
struct CredentialSettings {
  std::string access_key = {};
  std::string secret_key = {};
  std::string session_token = {};
  std::string profile = {};  ///< of the files; empty: AWS_PROFILE, then "default"
  std::string region = {};   ///< for STS; empty: what FindRegion says, else the global endpoint
};

/// Looks, in this order, at the settings, the AWS_* variables, the web identity of a Kubernetes
/// service account (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN), the profile's files, the
/// container's service (AWS_CONTAINER_CREDENTIALS_*), the instance's metadata; a profile that the
/// settings name comes before the variables. The first that has keys is kept for the run. Its keys
/// are fetched anew from five minutes before they expire on, by one thread at a time; while that
/// fails and the old ones hold, those are used, the log says so, and the next try comes a minute
/// later. `http` (for STS), `local_http` (without a proxy, short time limits: container and
/// instance services), `clock` and `log` have to outlive the source.
std::unique_ptr<CredentialSource> MakeCredentialSource(const CredentialSettings& settings,
                                                       Environment environment, HttpClient& http,
                                                       HttpClient& local_http, const Clock& clock,
                                                       Log& log);

/// The region of AWS_REGION, AWS_DEFAULT_REGION or the profile's config file; empty when none says.
/// Throws Error(kUsage) for a file that a variable names and that cannot be read.
std::string FindRegion(const CredentialSettings& settings, const Environment& environment);

}  // namespace oxbackup::s3
