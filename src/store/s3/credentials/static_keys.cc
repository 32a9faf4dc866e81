#include <fmt/format.h>

#include "base/error.h"
#include "store/s3/credentials/answers.h"
#include "store/s3/credentials/providers.h"

namespace oxbackup::s3 {
namespace {

class KeysOfSettings final : public CredentialProvider {
 public:
  explicit KeysOfSettings(CredentialSettings settings) : settings_(std::move(settings)) {}

  Finding Find(const std::stop_token& /*stop*/) override {
    auto keys = KeysOf({"S3_ACCESS_KEY", settings_.access_key},
                       {"S3_SECRET_ACCESS_KEY", settings_.secret_key}, settings_.session_token,
                       "the settings");
    if (!keys) return Finding::None("S3_ACCESS_KEY is not set");
    return Finding::Keys(std::move(*keys));
  }

 private:
  const CredentialSettings settings_;
};

class Variables final : public CredentialProvider {
 public:
  explicit Variables(Environment environment) : environment_(std::move(environment)) {}

  Finding Find(const std::stop_token& /*stop*/) override {
    const auto named = [&](const char* name) {
      return NamedText{name, Variable(environment_, name)};
    };
    auto keys = KeysOf(named("AWS_ACCESS_KEY_ID"), named("AWS_SECRET_ACCESS_KEY"),
                       Variable(environment_, "AWS_SESSION_TOKEN"), "the environment");
    if (!keys) return Finding::None("AWS_ACCESS_KEY_ID is not set");
    return Finding::Keys(std::move(*keys));
  }

 private:
  const Environment environment_;
};

}  // namespace

std::string Variable(const Environment& environment, const std::string& name) {
  return environment(name).value_or("");
}

std::optional<Credentials> KeysOf(const NamedText& access_key, const NamedText& secret_key,
                                  const std::string& session_token, const std::string& place) {
  if (access_key.text.empty() && secret_key.text.empty()) return std::nullopt;
  if (access_key.text.empty() || secret_key.text.empty()) {
    const bool lacks_secret = secret_key.text.empty();
    throw Error(ErrorKind::kUsage,
                fmt::format("{} is set in {}, and {} is not",
                            lacks_secret ? access_key.name : secret_key.name, place,
                            lacks_secret ? secret_key.name : access_key.name))
        .Hint("set both, or neither to have keys looked for elsewhere");
  }
  for (const NamedText& key : {access_key, secret_key, NamedText{"session token", session_token}}) {
    if (IsPlain(key.text)) continue;
    throw Error(ErrorKind::kUsage, fmt::format("the {} of {} is no key", key.name, place))
        .Cause("it has a line break or blanks around it")
        .Hint("a secret that echo made ends with a line break: make it with printf");
  }
  return Credentials{.access_key = access_key.text,
                     .secret_key = secret_key.text,
                     .session_token = session_token,
                     .origin = fmt::format("{} of {}", access_key.name, place)};
}

std::unique_ptr<CredentialProvider> SettingsProvider(const CredentialSettings& settings) {
  return std::make_unique<KeysOfSettings>(settings);
}

std::unique_ptr<CredentialProvider> VariablesProvider(Environment environment) {
  return std::make_unique<Variables>(std::move(environment));
}

}  // namespace oxbackup::s3
