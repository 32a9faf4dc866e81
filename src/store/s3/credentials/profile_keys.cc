#include <fmt/format.h>

#include "base/error.h"
#include "store/s3/credentials/profile.h"
#include "store/s3/credentials/providers.h"
#include "store/s3/credentials/web_identity.h"

namespace oxbackup::s3 {
namespace {

class ProfileKeys final : public CredentialProvider {
 public:
  ProfileKeys(CredentialSettings settings, Environment environment, HttpClient& http)
      : settings_(std::move(settings)), environment_(std::move(environment)), http_(http) {}

  Finding Find(const std::stop_token& stop) override {
    const Profile profile = ReadProfile(settings_, environment_);
    if (!profile.is_there) return Absent(profile);
    const std::string place = fmt::format("profile '{}'", profile.name);
    if (!profile.Value("role_arn").empty()) return OfRole(profile, place, stop);
    auto keys = KeysOf({"aws_access_key_id", profile.Value("aws_access_key_id")},
                       {"aws_secret_access_key", profile.Value("aws_secret_access_key")},
                       profile.Value("aws_session_token"), place);
    if (keys) return Finding::Keys(std::move(*keys));
    for (const char* name :
         {"sso_session", "sso_start_url", "login_session", "credential_process"}) {
      if (!profile.Value(name).empty()) throw NeedsTheCommand(profile, name);
    }
    return Finding::None(fmt::format("{} in {} has no keys", place, profile.files));
  }

 private:
  static Finding Absent(const Profile& profile) {
    if (!profile.is_asked_for) {
      return Finding::None(fmt::format("there is no profile 'default' in {}", profile.files));
    }
    throw Error(ErrorKind::kUsage, fmt::format("there is no profile '{}'", profile.name))
        .Cause(fmt::format("looked in {}", profile.files))
        .Hint(
            "correct the profile's name or AWS_PROFILE, or mount the files and set "
            "AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE");
  }

  // Logins in a browser, commands and roles by way of other keys are what the AWS command is for.
  static Error NeedsTheCommand(const Profile& profile, const std::string& setting) {
    return Error(ErrorKind::kUsage,
                 fmt::format("profile '{}' has {}, which is not supported", profile.name, setting))
        .Hint(fmt::format("eval \"$(aws configure export-credentials --profile {} --format env)\" "
                          "puts its keys into the environment; or name a profile that has keys",
                          profile.name));
  }

  Finding OfRole(const Profile& profile, const std::string& place, const std::stop_token& stop) {
    if (profile.Value("web_identity_token_file").empty()) {
      const bool has_source = !profile.Value("source_profile").empty();
      throw NeedsTheCommand(
          profile,
          fmt::format("role_arn with {}", has_source ? "source_profile" : "credential_source"));
    }
    Credentials keys =
        AssumeRole({.token_file = profile.Value("web_identity_token_file"),
                    .role_arn = profile.Value("role_arn"),
                    .session_name = profile.Value("role_session_name")},
                   StsEndpoint(StsRegion(settings_, environment_), environment_), http_, stop);
    keys.origin += " of " + place;
    return Finding::Keys(std::move(keys));
  }

  const CredentialSettings settings_;
  const Environment environment_;
  HttpClient& http_;
};

}  // namespace

std::unique_ptr<CredentialProvider> ProfileProvider(const CredentialSettings& settings,
                                                    Environment environment, HttpClient& http) {
  return std::make_unique<ProfileKeys>(settings, std::move(environment), http);
}

}  // namespace oxbackup::s3
