// Signing requests: AWS Signature Version 4 and, for old servers, Version 2.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/http_client.h"
#include "store/s3/credentials/credentials.h"

namespace oxbackup::s3 {

/// Adds x-amz-date, x-amz-content-sha256 (`payload_sha256`, hexadecimal), x-amz-security-token where
/// there is one, and Authorization to the request. All its headers are signed. The path is taken as
/// it stands in the URL, neither normalized nor encoded again, as S3 wants it; the query has to be
/// in canonical order (EncodeQuery). Source: Amazon S3 API Reference, "Authenticating Requests:
/// Using the Authorization Header".
void SignV4(HttpRequest& request, const Credentials& credentials, std::string_view region,
            std::string_view service, std::string_view payload_sha256, TimePoint now);

/// Adds Date and Authorization. `resource`: "/bucket/key", encoded, before the subresources, which
/// are taken out of the URL's query. Source: Amazon S3 User Guide, "Signing and authenticating REST
/// requests (AWS signature version 2)".
void SignV2(HttpRequest& request, const Credentials& credentials, std::string_view resource,
            TimePoint now);

}  // namespace oxbackup::s3
