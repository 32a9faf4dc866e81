#include "store/s3/s3_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <pugixml.hpp>

#include "base/text.h"

namespace oxbackup::s3 {
namespace {

// Source: "Error responses", Amazon S3 API Reference. The codes of damaged bodies are there too:
// the bytes that we hold are right, so sending them again can mend it.
constexpr std::array<std::string_view, 17> kTransientCodes = {"InternalError",
                                                              "ServiceUnavailable",
                                                              "SlowDown",
                                                              "SlowDownWrite",
                                                              "SlowDownRead",
                                                              "RequestTimeout",
                                                              "Throttling",
                                                              "ThrottlingException",
                                                              "RequestLimitExceeded",
                                                              "TooManyRequests",
                                                              "OperationAborted",
                                                              "ConditionalRequestConflict",
                                                              "BadDigest",
                                                              "IncompleteBody",
                                                              "XAmzContentSHA256Mismatch",
                                                              "XAmzContentChecksumMismatch",
                                                              "XMinioServerNotInitialized"};

struct Explanation {
  std::string_view code;
  std::string_view hint;
};

constexpr std::string_view kUnknownKey =
    "the server does not know this access key: check it (S3_ACCESS_KEY, where that is set) and "
    "that "
    "S3_ENDPOINT_URL is the service that gave it";
constexpr std::string_view kNoKmsKey =
    "check S3_SSE_KMS_KEY_ID: the service does not find this key";

constexpr std::string_view kNoObjectLock =
    "the bucket has no object lock, which is chosen when a bucket is made: leave "
    "S3_OBJECT_LOCK_MODE and S3_OBJECT_LOCK_DAYS out, or choose a bucket that has it";

constexpr std::string_view kWrongToken =
    "the session token (S3_SESSION_TOKEN) does not belong to the keys, or has expired; keys that "
    "were given with one need it";

constexpr std::string_view kNotS3 =
    "check the service's address: whether S3_ENDPOINT_URL begins with https:// or http:// as the "
    "service wants it, and has no bucket in it";

constexpr std::array<Explanation, 31> kExplanations = {{
    {"InvalidAccessKeyId", kUnknownKey},
    {"XAdminUserNotFound", kUnknownKey},  // versitygw's
    {"SignatureDoesNotMatch",
     "the secret key does not belong to the access key (S3_SECRET_ACCESS_KEY); a proxy that "
     "changes "
     "requests, or S3_SIGNATURE_VERSION, can be the cause too"},
    {"RequestTimeTooSkewed", "set this machine's clock: it differs too much from the server's"},
    {"ExpiredToken", "the temporary keys have expired: fetch new ones"},
    {"InvalidToken", kWrongToken},
    {"InvalidTokenId", kWrongToken},  // MinIO's
    {"NoSuchBucket",
     "create the bucket, or correct its name (s3://BUCKET, S3_BUCKET_NAME) or the service's "
     "address (S3_ENDPOINT_URL)"},
    {"PermanentRedirect", "the bucket lies in another region: set S3_REGION_NAME to it"},
    {"AuthorizationHeaderMalformed", "set S3_REGION_NAME to the bucket's region"},
    {"IllegalLocationConstraintException", "set S3_REGION_NAME to the bucket's region"},
    {"InvalidBucketName", "correct the bucket's name, or set S3_ADDRESSING_STYLE=path"},
    {"EntityTooLarge", "the service allows no object of this size"},
    {"QuotaExceeded", "the service has no more room for this account: remove old archives (prune)"},
    {"InsufficientStorage", "the service has no more room: remove old archives (prune)"},
    {"XMinioStorageFull", "the service has no more room: remove old archives (prune)"},
    {"InvalidStorageClass", "the service does not know this S3_STORAGE_CLASS"},
    {"KMS.NotFoundException", kNoKmsKey},
    {"kms:KeyNotFound", kNoKmsKey},  // MinIO's
    {"KMS.DisabledException", "the key of S3_SSE_KMS_KEY_ID is disabled: enable it"},
    {"InvalidObjectState",
     "the object lies in an archive tier (Glacier): restore it there first, or choose another "
     "S3_STORAGE_CLASS for backups"},
    {"HTTP status 400", kNotS3},
    {"NoSuchKey", kNotS3},
    {"NotFound",
     "no S3 service answered: check the service's address (S3_ENDPOINT_URL), and that no web "
     "server "
     "or proxy answers for it"},
    {"InvalidPart",
     "the service misses a part, or wants all of one size, as Cloudflare R2 does: name it by its "
     "own address, ACCOUNT.r2.cloudflarestorage.com (S3_ENDPOINT_URL), and run the backup again"},
    {"NoSuchUpload",
     "the upload or its bucket was removed meanwhile: run the backup again; a rule of the bucket "
     "that removes unfinished uploads must leave them more time than a backup takes"},
    {"InvalidTag", "the service refuses a tag: correct S3_TAGS"},
    {"ObjectLockConfigurationNotFoundError", kNoObjectLock},
    {"InvalidRetentionPeriod", "the service refuses S3_OBJECT_LOCK_DAYS: set fewer days"},
    {"XMinioInvalidObjectName", "the service refuses this name: choose another --name"},
    {"NotImplemented",
     "the service lacks this feature: leave out what is set beyond the bucket and the keys "
     "(S3_SSE, S3_STORAGE_CLASS, S3_OBJECT_LOCK_MODE, S3_TAGS)"},
}};

std::string CodeOfStatus(int status) {
  switch (status) {
    case 301:
      return "PermanentRedirect";
    case 403:
      return "AccessDenied";
    case 404:
      return "NotFound";
    case 412:
      return "PreconditionFailed";
    case 503:
      return "SlowDown";
    case 507:
      return "InsufficientStorage";
    default:
      return fmt::format("HTTP status {}", status);
  }
}

bool IsTransient(int status, const ServerError& server) {
  const bool known = std::ranges::find(kTransientCodes, server.code) != kTransientCodes.end();
  // Proxies before a service have their own (Cloudflare's 520 to 527). Not implemented, another
  // version of HTTP and no room stay so.
  const bool fault = status >= 500 && status != 501 && status != 505 && status != 507;
  return known || fault || status == 408 || status == 425 || status == 429;
}

/// AWS says what it missed, which need not be the right of the call itself: encryption by KMS asks
/// for one of the key's. "" when it does not say. Source: "Troubleshoot access denied errors",
/// Amazon S3 User Guide.
std::string MissingRight(const std::string& message) {
  constexpr std::string_view kAction = "is not authorized to perform: ";
  const std::size_t start = message.find(kAction);
  if (start == std::string::npos) return {};
  std::string_view rest = std::string_view(message).substr(start + kAction.size());
  return std::string(rest.substr(0, rest.find(' ')));
}

std::string HintFor(const Request& request, const ServerError& server) {
  if (server.code == "AccessDenied" || server.code == "AllAccessDisabled") {
    const std::string missing = MissingRight(server.message);
    if (missing.starts_with("kms:")) {
      return fmt::format(
          "allow {} on the key that the bucket or S3_SSE_KMS_KEY_ID encrypts with, to the account "
          "of these keys",
          missing);
    }
    return fmt::format("allow {} on {} to the account of these keys{}", request.action,
                       request.resource, request.or_else.empty() ? "" : ", or " + request.or_else);
  }
  if (server.code == "PermanentRedirect") {
    // At AWS the region makes the address.
    const bool at_aws = server.endpoint.find("amazonaws.com") != std::string::npos;
    if (!server.endpoint.empty() && !at_aws) {
      return fmt::format("the bucket is at another address: set S3_ENDPOINT_URL to https://{}",
                         server.endpoint);
    }
    if (!server.region.empty()) {
      return fmt::format("the bucket lies in {}: set S3_REGION_NAME to it", server.region);
    }
  }
  // The code is that of many other refusals.
  if (server.message.find("Server Side Encryption") != std::string::npos) {
    return "set S3_SSE_CUSTOMER_KEY to the key that the archive was written with";
  }
  if (server.message.find("Bucket is missing Object") != std::string::npos) {
    return std::string(kNoObjectLock);
  }
  for (const Explanation& explanation : kExplanations) {
    if (explanation.code == server.code) return std::string(explanation.hint);
  }
  return {};
}

}  // namespace

ServerError ReadServerError(const HttpResponse& response) {
  ServerError server;
  pugi::xml_document document;
  if (document.load_buffer(response.body.data(), response.body.size())) {
    const pugi::xml_node error = document.child("Error");
    server = {.code = error.child_value("Code"),
              .message = error.child_value("Message"),
              .argument = error.child_value("ArgumentName"),
              .region = error.child_value("Region"),
              .endpoint = error.child_value("Endpoint")};
  }
  if (server.code.empty()) server.code = CodeOfStatus(response.status);
  if (const auto region = response.Header("x-amz-bucket-region")) server.region = *region;
  return server;
}

bool IsAboutAccess(const ServerError& server) {
  constexpr std::array<std::string_view, 11> kCodes = {
      "InvalidAccessKeyId", "XAdminUserNotFound",   "SignatureDoesNotMatch",
      "ExpiredToken",       "RequestTimeTooSkewed", "AuthorizationHeaderMalformed",
      "InvalidToken",       "InvalidTokenId",       "IllegalLocationConstraintException",
      "NoSuchBucket",       "PermanentRedirect"};
  return std::ranges::find(kCodes, server.code) != kCodes.end();
}

bool MeansAbsent(const HttpResponse& response, bool of_version) {
  if (response.status == 404) return true;
  if (!of_version) return false;
  if (response.status == 405) return response.Header("x-amz-delete-marker") == "true";
  if (response.status != 400) return false;
  const ServerError server = ReadServerError(response);
  // Other arguments can be wrong too: keys of SSE-C.
  return server.code == "NoSuchVersion" ||
         (server.code == "InvalidArgument" &&
          (LowerCase(server.argument) == "versionid" ||
           LowerCase(server.message).find("version id") != std::string::npos));
}

bool HasExpired(const ServerError& server) {
  return server.code == "ExpiredToken" || server.code == "TokenRefreshRequired";
}

bool IsForbidden(const HttpResponse& response) {
  return response.status == 403 && ReadServerError(response).code == "AccessDenied";
}

bool IsNotForKeys(const HttpResponse& response) {
  return response.status == 400 &&
         LowerCase(ReadServerError(response).message)
                 .find("encryption parameters are not applicable") != std::string::npos;
}

bool IsUnknownCall(const HttpResponse& response) {
  return response.status == 405 || response.status == 501 ||
         (response.status == 400 && ReadServerError(response).code == "NotImplemented");
}

bool HoldsError(const HttpResponse& response) {
  pugi::xml_document document;
  return document.load_buffer(response.body.data(), response.body.size()) &&
         document.child("Error");
}

Error MakeError(const Request& request, int status, const ServerError& server) {
  const bool no_bucket = server.code == "NoSuchBucket";
  Error error(no_bucket ? ErrorKind::kNotFound : ErrorKind::kStore, request.what);
  error.Cause(server.message.empty() ? fmt::format("the server says {}", server.code)
                                     : fmt::format("{}: {}", server.code, server.message));
  if (IsTransient(status, server)) {
    return error.Transient().Hint(
        "the service is overloaded or has a fault: look at its status, and run the command again");
  }
  const std::string hint = HintFor(request, server);
  if (!hint.empty()) error.Hint(hint);
  return error;
}

}  // namespace oxbackup::s3
