// What the calls on a bucket have in common.
#pragma once

#include <string_view>
#include <vector>

#include "http/http_client.h"
#include "store/s3/client.h"
#include "store/store.h"

namespace oxbackup::s3 {

inline constexpr int kBadRequest = 400;
inline constexpr int kForbidden = 403;
inline constexpr int kNotFound = 404;
inline constexpr int kNotAllowed = 405;
inline constexpr int kNotModified = 412;
inline constexpr int kNoSuchRange = 416;
inline constexpr int kNotImplemented = 501;

/// The id of what was written while a bucket kept no versions.
inline constexpr std::string_view kNullVersion = "null";

/// Statuses that can mean that the keys, or the server, do not have a call: to be expected before
/// IsUnavailable is asked.
inline const std::vector<int> kUnavailable = {kBadRequest, kForbidden, kNotAllowed,
                                              kNotImplemented};
/// Whether an answer of such a status does mean it.
bool IsUnavailable(const HttpResponse& response);

/// Which version a call is about.
Parameters VersionParameters(const ObjectId& id);

}  // namespace oxbackup::s3
