// What a server's refusals mean for the operator.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/http_client.h"

namespace oxbackup::s3 {

/// The <Error> of an answer's body.
struct ServerError {
  std::string code;  ///< "NoSuchBucket"; made from the status when there is no body
  std::string message;
  std::string argument;  ///< the parameter that is wrong, when the server names one
  std::string region;    ///< the bucket's, when the server tells it
  std::string endpoint;  ///< where the bucket answers, when the server tells it
};

/// Reads an answer that is an error: its body, else what its status means.
ServerError ReadServerError(const HttpResponse& response);

/// Whether an answer's body is an <Error>: some calls answer "200 OK" before they know.
bool HoldsError(const HttpResponse& response);

/// Whether a refusal is about the keys, the clock, the region or the bucket as a whole: then it
/// says nothing about the object that was asked for.
bool IsAboutAccess(const ServerError& server);

/// Whether a refusal says that there is no such object, or, when a version was asked for
/// (`of_version`), no such version of it: also that it is a delete marker, or has an id that none
/// of the server's has the form of. A HEAD's refusal with 400 has no body to tell that by.
bool MeansAbsent(const HttpResponse& response, bool of_version);

/// Whether a refusal says that these keys may not do it, or this server cannot do it at all.
bool IsForbidden(const HttpResponse& response);
/// Whether temporary keys have come to their end.
bool HasExpired(const ServerError& server);
bool IsUnknownCall(const HttpResponse& response);

/// Whether a refusal says that the object is not encrypted by a key of the customer's, and so is
/// read without one (SSE-C, at AWS and MinIO).
bool IsNotForKeys(const HttpResponse& response);

/// What was asked for, for the text of an error.
struct Request {
  std::string what;          ///< "cannot upload part 3 of s3://b/backup.tar.xz"
  std::string action;        ///< the right that it needs: "s3:PutObject"
  std::string resource;      ///< what it needs it on: "s3://b/backup.tar.xz"
  std::string or_else = {};  ///< what else to do when it is refused; empty: nothing
};

/// The Error for an answer: kStore, or kNotFound for a bucket that does not exist; transient() for
/// what a later try may mend: overload, time-outs, internal errors and bodies that were damaged on
/// the way; all others say what to change.
Error MakeError(const Request& request, int status, const ServerError& server);

}  // namespace oxbackup::s3
