// What a bucket answers in XML.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace oxbackup::s3 {

/// One object, version or delete marker; keys are whole, with the folder before the name.
struct ListedObject {
  std::string key;
  std::string version;  ///< empty: the list has none; "null" is one
  std::string etag;     ///< without its quotes
  uint64_t size = 0;    ///< bytes
  TimePoint modified{};
  bool latest = true;
  bool delete_marker = false;
};

/// One page. `next` has the parameters that the next page is asked with; empty: it was the last.
struct ObjectPage {
  std::vector<ListedObject> objects;
  std::vector<std::pair<std::string, std::string>> next;
};

/// An upload that is not complete.
struct ListedUpload {
  std::string key;
  std::string id;
  std::string initiator;  ///< id of the account that began it; empty when the server tells none
  TimePoint initiated{};
};

struct UploadPage {
  std::vector<ListedUpload> uploads;
  std::vector<std::pair<std::string, std::string>> next;
};

/// Of ListObjectsV2, ListObjectVersions, ListMultipartUploads, all with encoding-type=url. Throws
/// Error(kStore) for a body that is none: some proxies answer 200 with a page of theirs.
ObjectPage ParseObjects(std::string_view body);
ObjectPage ParseVersions(std::string_view body);
UploadPage ParseUploads(std::string_view body);

/// The UploadId of InitiateMultipartUploadResult. Throws as above.
std::string ParseUploadId(std::string_view body);

/// What CompleteMultipartUpload reports.
struct CompletedUpload {
  std::string etag;             ///< without its quotes
  std::string checksum_sha256;  ///< composite, "BASE64-PARTS"; empty when not reported
  std::string version;          ///< not in the body: the answer's head has it, with versions
};
CompletedUpload ParseCompleted(std::string_view body);

/// What becomes of a new object in a bucket, and whether there can be versions of old ones.
enum class Versioning {
  kNone,       ///< there never were versions
  kEnabled,    ///< a new object is another version of its name
  kSuspended,  ///< there are versions, and a new object replaces the one with the id "null"
};
/// What GetBucketVersioning says. Throws as above.
Versioning ParseVersioning(std::string_view body);

/// An entity tag as headers and lists have it, without quotes and "W/".
std::string PlainEtag(std::string_view etag);

}  // namespace oxbackup::s3
