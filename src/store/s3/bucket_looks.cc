// Looking at a bucket and at single objects, whatever the keys may and the server knows.
#include <fmt/format.h>

#include <algorithm>

#include "store/s3/bucket.h"
#include "store/s3/bucket_calls.h"
#include "store/s3/object_headers.h"

namespace oxbackup::s3 {
namespace {

// What can mean that there is no such object.
const std::vector<int> kMaybeAbsent = {kNotFound, kNotAllowed, kBadRequest};

}  // namespace

Versioning Bucket::LookAtVersioning() const {
  Operation operation = BucketOperation("look at the versioning of", "s3:GetBucketVersioning");
  operation.parameters = {{"versioning", ""}};
  operation.expected = kUnavailable;
  const HttpResponse response = client_.Call(operation, client_.run().stop);
  if (response.ok()) return ParseVersioning(response.body);
  if (IsUnknownCall(response)) return Versioning::kNone;
  if (!IsForbidden(response)) {
    throw MakeError(operation.request, response.status, ReadServerError(response));
  }
  const std::optional<bool> versions = HasVersions();
  if (!versions) {
    client_.run().log.Info(
        "{}: whether it keeps versions is not known, and it counts as a bucket without them: "
        "neither s3:GetBucketVersioning nor s3:ListBucketVersions is allowed",
        Location());
  }
  return versions.value_or(false) ? Versioning::kSuspended : Versioning::kNone;
}

std::optional<bool> Bucket::HasVersions() const {
  const auto listed = ListPages(true, "", kUnavailable);
  if (!listed) return std::nullopt;
  // A bucket without versions lists its objects as versions of the id "null".
  return std::ranges::any_of(*listed, [](const ObjectInfo& object) {
    return object.delete_marker || (!object.version.empty() && object.version != kNullVersion);
  });
}

bool Bucket::IsListed(const std::string& name, Versioning versioning) const {
  const auto listed = ListPages(versioning == Versioning::kSuspended, name, kUnavailable);
  return listed && std::ranges::any_of(*listed, [&](const ObjectInfo& object) {
           return object.name == name && !object.delete_marker &&
                  (object.current || object.version == kNullVersion);
         });
}

bool Bucket::IsTaken(const std::string& name, Versioning versioning) const {
  if (versioning == Versioning::kEnabled) return false;
  std::vector<ObjectId> places = {name};
  if (versioning == Versioning::kSuspended) {
    // It may be hidden by a delete marker: a new object would replace it for ever.
    places.emplace_back(name).version = kNullVersion;
  }
  try {
    return std::ranges::any_of(places, [this](const ObjectId& id) { return Head(id).has_value(); });
  } catch (const Error& error) {
    // Where the key is another one a server refuses to say anything of the object.
    const bool refused = error.kind() == ErrorKind::kStore && !error.transient();
    if (refused && IsListed(name, versioning)) return true;
    throw;
  }
}

bool Bucket::Exists(const ObjectId& id) const {
  const HttpResponse response = RequestHead(id);
  // By name alone a marker means that there is nothing.
  return response.ok() || (!id.version.empty() && response.Header("x-amz-delete-marker") == "true");
}

std::optional<ObjectHead> Bucket::Head(const ObjectId& id) const {
  const HttpResponse response = RequestHead(id);
  if (!response.ok()) return std::nullopt;
  ObjectHead head = ReadObjectHead(response, id);
  if (!id.etag.empty() && head.id.etag != id.etag) return std::nullopt;
  return head;
}

HttpResponse Bucket::CallWithKey(const Operation& operation, bool& with_key) const {
  const HttpHeaders key = CustomerKeyHeaders();
  Operation keyed = operation;
  keyed.headers.insert(keyed.headers.end(), key.begin(), key.end());
  HttpResponse response = client_.Call(keyed, client_.run().stop);
  with_key = !key.empty() && !IsNotForKeys(response);
  if (key.empty() || with_key) return response;
  return client_.Call(operation, client_.run().stop);
}

HttpResponse Bucket::RequestHead(const ObjectId& id) const {
  Operation operation = ObjectOperation("HEAD", "look at", "s3:GetObject", id);
  operation.parameters = VersionParameters(id);
  // Backblaze refuses headers that it does not know.
  if (client_.settings().SendsSha256()) {
    operation.headers.emplace_back("x-amz-checksum-mode", "ENABLED");
  }
  operation.expected = kMaybeAbsent;
  operation.expected.push_back(kForbidden);
  bool with_key = false;
  HttpResponse response = CallWithKey(operation, with_key);
  // versitygw finds a current object of this id by GET alone.
  const bool unsure = response.status == kNotFound && id.version == kNullVersion;
  if (unsure || response.status == kBadRequest || response.status == kForbidden) {
    // A HEAD's refusal has no body that could say why.
    operation.method = "GET";
    operation.headers.emplace_back("Range", "bytes=0-0");
    response = CallWithKey(operation, with_key);
  }
  if (response.ok() || MeansAbsent(response, !id.version.empty())) return response;
  throw MakeError(operation.request, response.status, ReadServerError(response));
}

std::optional<ObjectHead> Bucket::ReadTail(const ObjectId& id, uint64_t size,
                                           std::string& tail) const {
  Operation operation = ObjectOperation("GET", "read", "s3:GetObject", id);
  operation.parameters = VersionParameters(id);
  operation.headers.emplace_back("Range", fmt::format("bytes=-{}", size));
  if (!id.etag.empty()) operation.headers.emplace_back("If-Match", '"' + id.etag + '"');
  // 416: an empty object has no last bytes.
  operation.expected = kMaybeAbsent;
  operation.expected.insert(operation.expected.end(), {kNotModified, kNoSuchRange});
  bool with_key = false;
  HttpResponse response = CallWithKey(operation, with_key);
  if (response.status == kNoSuchRange) {
    tail.clear();
    return Head(id);
  }
  if (response.status == kNotModified || MeansAbsent(response, !id.version.empty())) {
    return std::nullopt;
  }
  if (!response.ok()) {
    throw MakeError(operation.request, response.status, ReadServerError(response));
  }
  ObjectHead head = ReadObjectHead(response, id);
  head.with_customer_key = with_key;
  const uint64_t expected = std::min(size, head.size);
  if (response.body.size() != expected) {
    throw Error(ErrorKind::kStore, operation.request.what)
        .Cause(fmt::format("the last {} bytes were asked for, and {} came", expected,
                           response.body.size()))
        .Hint("the service or a proxy before it does not keep to ranges");
  }
  tail = std::move(response.body);
  return head;
}

}  // namespace oxbackup::s3
