// What services that give keys answer, and small files that they need.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/http_client.h"
#include "store/s3/credentials/credentials.h"

namespace oxbackup::s3 {

/// A service that gives keys, for messages.
struct KeyService {
  std::string name;  ///< "STS at https://…"
  std::string hint;  ///< what to check when it refuses
};

/// What a service answered with, as it stood there.
struct KeyAnswer {
  std::string access_key;
  std::string secret_key;
  std::string session_token = {};
  std::string expiration = {};  ///< RFC 3339; empty: never
};

/// Makes keys of it. Throws Error(kStore), without the texts, when some are missing or cannot be
/// what they should.
Credentials KeysOfAnswer(const KeyAnswer& answer, const KeyService& service);

/// Keys as JSON with AccessKeyId, SecretAccessKey, Token and Expiration, which the services of
/// containers and machines answer with. Throws Error(kStore) as KeysOfAnswer, and with the
/// service's words when it says in that form that it refuses.
Credentials KeysOfJson(const std::string& body, const KeyService& service);

/// The Error for an answer that is no success, with what it says in JSON. transient() for those
/// that may be others later.
Error RefusalOf(const HttpResponse& response, const KeyService& service);
/// The same with the service's words in hand.
Error Refusal(const KeyService& service, int status, const std::string& code,
              const std::string& message);

/// Whether a text can be a key or a token that goes into a header: no control characters, and no
/// blanks around it.
bool IsPlain(std::string_view text);

/// The token in a file, without white space at its end, read anew at each call since others replace
/// it. `what`: "the token of the container's service". Throws Error(kUsage).
std::string ReadToken(const std::string& path, const std::string& what);

}  // namespace oxbackup::s3
