#include "store/s3/credentials/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/small_file.h"

namespace oxbackup::s3 {
namespace {

using Json = nlohmann::json;

std::string TextOf(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// Services of containers write these names small, those of machines large.
std::string EitherOf(const Json& object, const char* large, const char* small) {
  const std::string text = TextOf(object, large);
  return text.empty() ? TextOf(object, small) : text;
}

Error NoKeys(const KeyService& service, const std::string& why) {
  return Error(ErrorKind::kStore, fmt::format("{} gave no keys", service.name))
      .Cause(why)
      .Hint("check that it is what it should be, or set S3_ACCESS_KEY and S3_SECRET_ACCESS_KEY");
}

}  // namespace

Credentials KeysOfAnswer(const KeyAnswer& answer, const KeyService& service) {
  if (answer.access_key.empty() || answer.secret_key.empty()) {
    throw NoKeys(service, "its answer lacks an access key or a secret key");
  }
  if (!IsPlain(answer.access_key) || !IsPlain(answer.secret_key) ||
      !IsPlain(answer.session_token)) {
    throw NoKeys(service, "its answer has control characters or blanks in a key");
  }
  Credentials keys{.access_key = answer.access_key,
                   .secret_key = answer.secret_key,
                   .session_token = answer.session_token,
                   .origin = service.name};
  if (!answer.expiration.empty()) {
    keys.expires = ParseRfc3339(answer.expiration);
    if (!keys.expires) throw NoKeys(service, "its answer has an expiration that is no time");
  }
  return keys;
}

Credentials KeysOfJson(const std::string& body, const KeyService& service) {
  const Json object = Json::parse(body, nullptr, false);
  if (!object.is_object()) throw NoKeys(service, "its answer is no JSON object");
  const std::string code = EitherOf(object, "Code", "code");
  if (!code.empty() && code != "Success") {
    throw Refusal(service, 200, code, EitherOf(object, "Message", "message"));
  }
  return KeysOfAnswer({.access_key = TextOf(object, "AccessKeyId"),
                       .secret_key = TextOf(object, "SecretAccessKey"),
                       .session_token = TextOf(object, "Token"),
                       .expiration = TextOf(object, "Expiration")},
                      service);
}

Error RefusalOf(const HttpResponse& response, const KeyService& service) {
  const Json object = Json::parse(response.body, nullptr, false);
  if (!object.is_object()) return Refusal(service, response.status, "", "");
  return Refusal(service, response.status, EitherOf(object, "Code", "code"),
                 EitherOf(object, "Message", "message"));
}

Error Refusal(const KeyService& service, int status, const std::string& code,
              const std::string& message) {
  Error error(ErrorKind::kStore, fmt::format("{} refused to give keys", service.name));
  error.Cause(fmt::format("{}{}{} (HTTP {})", code, code.empty() || message.empty() ? "" : ": ",
                          message.empty() && code.empty() ? "it did not say why" : message,
                          status));
  error.Hint(service.hint);
  const bool is_throttled = code.starts_with("Throttl") || code == "IDPCommunicationError";
  if (status >= 500 || status == 408 || status == 429 || is_throttled) error.Transient();
  return error;
}

bool IsPlain(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  return std::ranges::none_of(text, is_control) && !text.starts_with(' ') && !text.ends_with(' ');
}

std::string ReadToken(const std::string& path, const std::string& what) {
  auto [text, error] = ReadSmallFile(path);
  if (error != 0) {
    throw SystemError(ErrorKind::kUsage, fmt::format("{} cannot be read: {}", what, path), error)
        .Hint("check that the token is mounted there and readable for this user");
  }
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (text.empty() || !IsPlain(text)) {
    throw Error(ErrorKind::kUsage, fmt::format("{} is no token: {}", what, path))
        .Cause(text.empty() ? "the file is empty" : "it has more than one line")
        .Hint("check what writes the file");
  }
  return text;
}

}  // namespace oxbackup::s3
