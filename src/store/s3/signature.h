// Signing requests: AWS Signature Version 4 and, for old servers, Version 2.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/http_client.h"
#include "store/s3/credentials/credentials.h"

namespace oxbackup::s3 {

/// Sets x-amz-date, x-amz-security-token where there is one, for the service "s3"
/// x-amz-content-sha256, and Authorization; a request that was signed before is signed anew. All
/// its headers are signed, so nothing may change them afterwards. `payload_sha256`: of the body,
/// hexadecimal, or one of the words that S3 takes instead. The path is taken as it stands in the
/// URL, neither normalized nor encoded again, as S3 wants it; the query has to be in canonical
/// order (EncodeQuery). Source: Amazon S3 API Reference, "Authenticating Requests: Using the
/// Authorization Header".
void SignV4(HttpRequest& request, const Credentials& credentials, std::string_view region,
            std::string_view service, std::string_view payload_sha256, TimePoint now);

/// Sets Date, x-amz-security-token where there is one, and Authorization; a request that was signed
/// before is signed anew. `resource`: "/bucket/key", encoded, before the subresources, which are
/// taken out of the URL's query; those of object locks are not signed, as servers disagree about
/// them. Source: Amazon S3 User Guide, "Signing and authenticating REST
/// requests (AWS signature version 2)".
void SignV2(HttpRequest& request, const Credentials& credentials, std::string_view resource,
            TimePoint now);

/// The value that SignV2 sets Authorization to, of a request that has its Date.
std::string AuthorizationV2(const HttpRequest& request, const Credentials& credentials,
                            std::string_view resource);

}  // namespace oxbackup::s3
