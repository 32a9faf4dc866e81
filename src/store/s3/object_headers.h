// The headers that an object is made with, and those that tell of it.
#pragma once

#include "http/http_client.h"
#include "store/s3/bucket.h"
#include "store/s3/settings.h"

namespace oxbackup::s3 {

/// SSE-C's, which go along with every request about an object's content; none without it.
HttpHeaders CustomerKeyHeaders(const Encryption& encryption);

/// Of a new object: encryption, storage class, retention from `now` on, tags, and who made it.
HttpHeaders NewObjectHeaders(const Settings& settings, TimePoint now);

/// Whether the answer to an upload's part says that it is encrypted as asked for; true when nothing
/// was. A service that knows no encryption ignores the headers and says nothing. Source:
/// "UploadPart", Amazon S3 API Reference. (MinIO does not say it when the upload begins.)
[[nodiscard]] bool ConfirmsEncryption(const HttpResponse& response, const Encryption& encryption);

/// Reads the answer to a GET (of a range or of all) or HEAD. `asked`: which object it was; what the
/// server does not tell of it is taken from there.
ObjectHead ReadObjectHead(const HttpResponse& response, const ObjectId& asked);

}  // namespace oxbackup::s3
