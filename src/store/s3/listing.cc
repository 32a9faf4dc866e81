#include "store/s3/listing.h"

#include <fmt/format.h>

#include <pugixml.hpp>

#include "base/error.h"
#include "http/url.h"

namespace oxbackup::s3 {
namespace {

// The root of an answer; `name` is what it has to be.
pugi::xml_node Root(pugi::xml_document& document, std::string_view body, const char* name) {
  const pugi::xml_parse_result result = document.load_buffer(body.data(), body.size());
  const pugi::xml_node root = document.child(name);
  if (result && root) return root;
  throw Error(ErrorKind::kStore, fmt::format("the answer is no {}", name))
      .Cause(result ? fmt::format("it is a {}", document.first_child().name())
                    : std::string(result.description()))
      .Hint("S3_ENDPOINT_URL has to be an S3 service's address, and no proxy may answer for it");
}

// Keys come percent-encoded, since XML cannot hold every character that they may have; `root` tells
// whether the server did as it was asked.
std::string Decoded(const pugi::xml_node& root, const pugi::xml_node& node, const char* name) {
  std::string text = node.child_value(name);
  if (std::string_view(root.child_value("EncodingType")) != "url") return text;
  // Some servers encode as forms do, with '+' for a space; a plus itself is then %2B in all.
  for (char& c : text) {
    if (c == '+') c = ' ';
  }
  return DecodeUrlPart(text);
}

TimePoint TimeOf(const pugi::xml_node& node, const char* name) {
  return ParseRfc3339(node.child_value(name)).value_or(TimePoint{});
}

bool IsTrue(const pugi::xml_node& node, const char* name) {
  return std::string_view(node.child_value(name)) == "true";
}

ListedObject ObjectOf(const pugi::xml_node& root, const pugi::xml_node& node) {
  ListedObject object;
  object.key = Decoded(root, node, "Key");
  object.version = node.child_value("VersionId");
  object.etag = PlainEtag(node.child_value("ETag"));
  object.size = node.child("Size").text().as_ullong();
  object.modified = TimeOf(node, "LastModified");
  return object;
}

}  // namespace

ObjectPage ParseObjects(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_node root = Root(document, body, "ListBucketResult");
  ObjectPage page;
  for (const pugi::xml_node& node : root.children("Contents")) {
    page.objects.push_back(ObjectOf(root, node));
  }
  if (IsTrue(root, "IsTruncated")) {
    page.next = {{"continuation-token", root.child_value("NextContinuationToken")}};
  }
  return page;
}

ObjectPage ParseVersions(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_node root = Root(document, body, "ListVersionsResult");
  ObjectPage page;
  for (const pugi::xml_node& node : root.children()) {
    const std::string_view kind = node.name();
    if (kind != "Version" && kind != "DeleteMarker") continue;
    ListedObject object = ObjectOf(root, node);
    object.latest = IsTrue(node, "IsLatest");
    object.delete_marker = kind == "DeleteMarker";
    page.objects.push_back(std::move(object));
  }
  if (IsTrue(root, "IsTruncated")) {
    page.next = {{"key-marker", Decoded(root, root, "NextKeyMarker")}};
    // AWS takes no empty one; a page may end with a folder, which has no versions.
    const std::string version = root.child_value("NextVersionIdMarker");
    if (!version.empty()) page.next.emplace_back("version-id-marker", version);
  }
  return page;
}

UploadPage ParseUploads(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_node root = Root(document, body, "ListMultipartUploadsResult");
  UploadPage page;
  for (const pugi::xml_node& node : root.children("Upload")) {
    page.uploads.push_back({.key = Decoded(root, node, "Key"),
                            .id = node.child_value("UploadId"),
                            .initiator = node.child("Initiator").child_value("ID"),
                            .initiated = TimeOf(node, "Initiated")});
  }
  if (IsTrue(root, "IsTruncated")) {
    page.next = {{"key-marker", Decoded(root, root, "NextKeyMarker")},
                 {"upload-id-marker", root.child_value("NextUploadIdMarker")}};
  }
  return page;
}

std::string ParseUploadId(std::string_view body) {
  pugi::xml_document document;
  return Root(document, body, "InitiateMultipartUploadResult").child_value("UploadId");
}

CompletedUpload ParseCompleted(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_node root = Root(document, body, "CompleteMultipartUploadResult");
  return {.etag = PlainEtag(root.child_value("ETag")),
          .checksum_sha256 = root.child_value("ChecksumSHA256"),
          .version = {}};
}

Versioning ParseVersioning(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_node root = Root(document, body, "VersioningConfiguration");
  const std::string_view status = root.child_value("Status");
  if (status == "Enabled") return Versioning::kEnabled;
  return status == "Suspended" ? Versioning::kSuspended : Versioning::kNone;
}

std::string PlainEtag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return std::string(etag);
}

}  // namespace oxbackup::s3
