#include "store/s3/bucket.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "store/s3/object_headers.h"

namespace oxbackup::s3 {
namespace {

// The id of what was written while a bucket kept no versions.
constexpr std::string_view kNullVersion = "null";

constexpr int kNotFound = 404;
constexpr int kNotModified = 412;
constexpr int kForbidden = 403;
constexpr int kBadRequest = 400;
constexpr int kNotAllowed = 405;
// What can mean that there is no such object.
const std::vector<int> kMaybeAbsent = {kNotFound, kNotAllowed, kBadRequest};

bool IsUnavailable(const HttpResponse& response) {
  return IsForbidden(response) || IsUnknownCall(response);
}
const std::vector<int> kUnavailable = {kBadRequest, kForbidden, kNotAllowed, 501};

Parameters VersionParameters(const ObjectId& id) {
  return id.version.empty() ? Parameters{} : Parameters{{"versionId", id.version}};
}

std::string CompleteXml(const std::vector<UploadedPart>& parts) {
  std::string xml = "<CompleteMultipartUpload>";
  for (const UploadedPart& part : parts) {
    xml += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>", part.number, part.etag);
    if (!part.checksum_sha256.empty()) {
      xml += fmt::format("<ChecksumSHA256>{}</ChecksumSHA256>", part.checksum_sha256);
    }
    xml += "</Part>";
  }
  return xml + "</CompleteMultipartUpload>";
}

// Some servers forget where they were: asked in the same way they would send the same page for
// ever.
void TurnPage(Parameters& next, Parameters following, const Operation& operation) {
  if (!following.empty() && following == next) {
    throw Error(ErrorKind::kStore, operation.request.what)
        .Cause("the server says that there is more, and not how to ask for it")
        .Hint("choose a folder with fewer objects (s3://BUCKET/FOLDER)");
  }
  next = std::move(following);
}

}  // namespace

std::string Bucket::Location() const {
  std::string folder = folder_;
  while (folder.ends_with('/')) folder.pop_back();
  return fmt::format("s3://{}{}{}", client_.bucket(), folder.empty() ? "" : "/", folder);
}

std::string Bucket::NameOf(const std::string& name) const {
  return fmt::format("s3://{}/{}{}", client_.bucket(), folder_, name);
}

std::string Bucket::NameOfKey(const std::string& key) const {
  if (!key.starts_with(folder_)) return {};
  const std::string name = key.substr(folder_.size());
  return name.find('/') == std::string::npos ? name : std::string();
}

Operation Bucket::ObjectOperation(const char* method, const std::string& doing, const char* action,
                                  const ObjectId& id) const {
  // Servers refuse a wrong key as they refuse a missing right.
  const bool with_key = !client_.settings().encryption.customer_key.empty();
  return {.method = method,
          .key = folder_ + id.name,
          .request = {.what = fmt::format("cannot {} {}", doing, NameOf(id.name)),
                      .action = action,
                      .resource = NameOf(id.name),
                      .or_else = with_key
                                     ? "set S3_SSE_CUSTOMER_KEY to the key that it was written with"
                                     : ""}};
}

Operation Bucket::BucketOperation(const std::string& doing, const char* action) const {
  return {.method = "GET",
          .request = {.what = fmt::format("cannot {} {}", doing, Location()),
                      .action = action,
                      .resource = fmt::format("the bucket {}", client_.bucket())}};
}

HttpHeaders Bucket::CustomerKeyHeaders() const {
  return s3::CustomerKeyHeaders(client_.settings().encryption);
}

std::vector<ObjectInfo> Bucket::List(bool versions) const { return *ListPages(versions, "", {}); }

std::optional<std::vector<ObjectInfo>> Bucket::ListPages(bool versions,
                                                         const std::string& name_prefix,
                                                         const std::vector<int>& expected) const {
  std::vector<ObjectInfo> objects;
  Parameters next;
  do {
    Operation operation =
        BucketOperation("list", versions ? "s3:ListBucketVersions" : "s3:ListBucket");
    operation.parameters = next;
    operation.parameters.insert(
        operation.parameters.end(),
        {{"delimiter", "/"}, {"encoding-type", "url"}, {"prefix", folder_ + name_prefix}});
    operation.parameters.emplace_back(versions ? Parameters::value_type{"versions", ""}
                                               : Parameters::value_type{"list-type", "2"});
    operation.expected = expected;
    const HttpResponse response = client_.Call(operation, client_.run().stop);
    if (!response.ok()) {
      if (IsUnavailable(response)) return std::nullopt;
      throw MakeError(operation.request, response.status, ReadServerError(response));
    }
    ObjectPage page = versions ? ParseVersions(response.body) : ParseObjects(response.body);
    for (ListedObject& listed : page.objects) {
      ObjectInfo info;
      info.name = NameOfKey(listed.key);
      info.version = std::move(listed.version);
      info.etag = std::move(listed.etag);
      info.size = listed.size;
      info.modified = listed.modified;
      info.current = listed.latest;
      info.delete_marker = listed.delete_marker;
      // versitygw begins a page with the version that the one before ended with.
      if (!objects.empty() && static_cast<const ObjectId&>(objects.back()) == info) continue;
      objects.push_back(std::move(info));
    }
    TurnPage(next, std::move(page.next), operation);
  } while (!next.empty());
  return objects;
}

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

HttpResponse Bucket::RequestHead(const ObjectId& id) const {
  Operation operation = ObjectOperation("HEAD", "look at", "s3:GetObject", id);
  operation.parameters = VersionParameters(id);
  operation.headers = CustomerKeyHeaders();
  operation.headers.emplace_back("x-amz-checksum-mode", "ENABLED");
  operation.expected = kMaybeAbsent;
  operation.expected.push_back(kForbidden);
  HttpResponse response = client_.Call(operation, client_.run().stop);
  // versitygw finds a current object of this id by GET alone.
  const bool unsure = response.status == kNotFound && id.version == kNullVersion;
  if (unsure || response.status == kBadRequest || response.status == kForbidden) {
    // A HEAD's refusal has no body that could say why.
    operation.method = "GET";
    operation.headers.emplace_back("Range", "bytes=0-0");
    response = client_.Call(operation, client_.run().stop);
  }
  if (response.ok() || MeansAbsent(response, !id.version.empty())) return response;
  throw MakeError(operation.request, response.status, ReadServerError(response));
}

std::optional<ObjectHead> Bucket::ReadTail(const ObjectId& id, uint64_t size,
                                           std::string& tail) const {
  Operation operation = ObjectOperation("GET", "read", "s3:GetObject", id);
  operation.parameters = VersionParameters(id);
  operation.headers = CustomerKeyHeaders();
  operation.headers.emplace_back("Range", fmt::format("bytes=-{}", size));
  if (!id.etag.empty()) operation.headers.emplace_back("If-Match", '"' + id.etag + '"');
  // 416: an empty object has no last bytes.
  operation.expected = kMaybeAbsent;
  operation.expected.insert(operation.expected.end(), {kNotModified, 416});
  HttpResponse response = client_.Call(operation, client_.run().stop);
  if (response.status == 416) {
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

void Bucket::ReadRange(const ObjectId& id, uint64_t offset, std::span<char> buffer) const {
  Operation operation = ObjectOperation("GET", "read", "s3:GetObject", id);
  operation.parameters = VersionParameters(id);
  operation.headers = CustomerKeyHeaders();
  operation.headers.emplace_back("Range",
                                 fmt::format("bytes={}-{}", offset, offset + buffer.size() - 1));
  operation.headers.emplace_back("If-Match", '"' + id.etag + '"');
  operation.into = buffer;
  operation.expected = {kNotFound, kNotModified};
  const HttpResponse response = client_.Call(operation, client_.run().stop);
  if (!response.ok()) {
    throw Error(ErrorKind::kStore, operation.request.what)
        .Cause(response.status == kNotFound ? "it was removed while it was read"
                                            : "it was replaced while it was read")
        .Hint("choose the archive anew; a bucket with versioning keeps what is removed");
  }
  if (response.status == 206 && response.into_size == buffer.size()) return;
  throw Error(ErrorKind::kStore, operation.request.what)
      .Cause(fmt::format("{} bytes from {} on were asked for, and {} came with status {}",
                         buffer.size(), offset, response.into_size, response.status))
      .Hint("the service or a proxy before it does not keep to ranges");
}

void Bucket::Remove(const ObjectId& id) const {
  Operation operation = ObjectOperation(
      "DELETE", "remove", id.version.empty() ? "s3:DeleteObject" : "s3:DeleteObjectVersion", id);
  operation.parameters = VersionParameters(id);
  operation.expected = {kNotFound};
  client_.Call(operation, client_.run().stop);
}

std::string Bucket::BeginUpload(const std::string& name, const HttpHeaders& headers) const {
  Operation operation = ObjectOperation("POST", "begin to write", "s3:PutObject", name);
  operation.parameters = {{"uploads", ""}};
  operation.headers = headers;
  // Each of these needs a right of its own, and a refusal does not say which one was missing.
  const Settings& settings = client_.settings();
  if (!settings.lock_mode.empty()) operation.request.action += " and s3:PutObjectRetention";
  if (!settings.tags.empty()) operation.request.action += " and s3:PutObjectTagging";
  return ParseUploadId(client_.Call(operation, client_.run().stop).body);
}

UploadedPart Bucket::UploadPart(const std::string& name, const std::string& upload, int number,
                                std::string_view bytes, bool with_sha256,
                                const std::stop_token& stop) const {
  Operation operation =
      ObjectOperation("PUT", fmt::format("write part {} of", number), "s3:PutObject", name);
  operation.parameters = {{"partNumber", std::to_string(number)}, {"uploadId", upload}};
  operation.headers = CustomerKeyHeaders();
  operation.headers.emplace_back("Content-MD5", Base64(Md5Raw(bytes)));
  operation.body = bytes;
  UploadedPart part{.number = number, .etag = {}, .checksum_sha256 = {}};
  if (with_sha256) {
    part.checksum_sha256 = Base64(Sha256Raw(bytes));
    operation.headers.emplace_back("x-amz-checksum-sha256", part.checksum_sha256);
  }
  const HttpResponse response = client_.Call(operation, stop);
  part.etag = response.Header("etag").value_or("");
  return part;
}

std::optional<CompletedUpload> Bucket::CompleteUpload(const std::string& name,
                                                      const std::string& upload,
                                                      const std::vector<UploadedPart>& parts,
                                                      bool replace) const {
  const std::string xml = CompleteXml(parts);
  Operation operation = ObjectOperation("POST", "complete", "s3:PutObject", name);
  operation.parameters = {{"uploadId", upload}};
  // Needed where parts have checksums of their own and the key is the customer's.
  operation.headers = CustomerKeyHeaders();
  operation.headers.emplace_back("Content-Type", "application/xml");
  if (!replace) operation.headers.emplace_back("If-None-Match", "*");
  operation.body = xml;
  operation.expected = {kNotFound, kNotModified};
  const HttpResponse response = client_.Call(operation, client_.run().stop);
  if (!response.ok()) return std::nullopt;
  CompletedUpload completed;
  try {
    completed = ParseCompleted(response.body);
  } catch (const Error&) {
    // Cut, or from somebody between: the object itself tells what became of it.
    return std::nullopt;
  }
  completed.version = response.Header("x-amz-version-id").value_or("");
  return completed;
}

std::optional<Error> Bucket::AbortUpload(const std::string& name, const std::string& upload) const {
  Operation operation = ObjectOperation("DELETE", "give up the unfinished upload of",
                                        "s3:AbortMultipartUpload", name);
  operation.parameters = {{"uploadId", upload}};
  operation.expected = {kNotFound};
  // The run may have been stopped already: this is a part of stopping, and must not take long.
  operation.timeout = std::chrono::seconds(10);
  const std::stop_token stop = client_.run().stop;
  const bool stopped = stop.stop_requested();
  operation.once = stopped;
  try {
    client_.Call(operation, stopped ? std::stop_token() : stop);
    return std::nullopt;
  } catch (const Error& error) {
    if (stopped || !stop.stop_requested()) return error;
  }
  // Stopped meanwhile: one try is left.
  return AbortUpload(name, upload);
}

std::optional<std::vector<ListedUpload>> Bucket::Uploads(const std::string& name_prefix) const {
  std::vector<ListedUpload> uploads;
  Parameters next;
  do {
    Operation operation =
        BucketOperation("list the unfinished uploads of", "s3:ListBucketMultipartUploads");
    operation.parameters = next;
    operation.parameters.insert(
        operation.parameters.end(),
        {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", folder_ + name_prefix}});
    operation.expected = kUnavailable;
    const HttpResponse response = client_.Call(operation, client_.run().stop);
    if (!response.ok()) {
      if (IsUnavailable(response)) return std::nullopt;
      throw MakeError(operation.request, response.status, ReadServerError(response));
    }
    UploadPage page = ParseUploads(response.body);
    std::ranges::move(page.uploads, std::back_inserter(uploads));
    TurnPage(next, std::move(page.next), operation);
  } while (!next.empty());
  return uploads;
}

}  // namespace oxbackup::s3
