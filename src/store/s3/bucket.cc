#include "store/s3/bucket.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "store/s3/bucket_calls.h"
#include "store/s3/object_headers.h"

namespace oxbackup::s3 {
namespace {

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

bool IsUnavailable(const HttpResponse& response) {
  return IsForbidden(response) || IsUnknownCall(response);
}

Parameters VersionParameters(const ObjectId& id) {
  return id.version.empty() ? Parameters{} : Parameters{{"versionId", id.version}};
}

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

void Bucket::ReadRange(const ObjectHead& head, uint64_t offset, std::span<char> buffer) const {
  const ObjectId& id = head.id;
  Operation operation = ObjectOperation("GET", "read", "s3:GetObject", id);
  operation.parameters = VersionParameters(id);
  if (head.with_customer_key) operation.headers = CustomerKeyHeaders();
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
  UploadedPart part{.number = number, .etag = {}, .checksum_sha256 = {}, .md5 = Md5Raw(bytes)};
  operation.headers.emplace_back("Content-MD5", Base64(part.md5));
  operation.body = bytes;
  if (with_sha256) {
    part.checksum_sha256 = Base64(Sha256Raw(bytes));
    operation.headers.emplace_back("x-amz-checksum-sha256", part.checksum_sha256);
  }
  const HttpResponse response = client_.Call(operation, stop);
  if (!ConfirmsEncryption(response, client_.settings().encryption)) {
    throw Error(ErrorKind::kStore, operation.request.what)
        .Cause("the service does not say that it encrypts, as it was asked to")
        .Hint(
            "choose a service that has this kind of encryption, or leave S3_SSE and "
            "S3_SSE_CUSTOMER_KEY out");
  }
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
  operation.expected = {kNotFound, kNotModified, kBadRequest, kNotImplemented};
  HttpResponse response = client_.Call(operation, client_.run().stop);
  if (!replace && IsUnknownCall(response)) {
    client_.run().log.Info("{}: the service knows no If-None-Match here: completing without it",
                           NameOf(name));
    std::erase_if(operation.headers, [](const auto& one) { return one.first == "If-None-Match"; });
    response = client_.Call(operation, client_.run().stop);
  }
  if (response.status == kBadRequest || response.status == kNotImplemented) {
    throw MakeError(operation.request, response.status, ReadServerError(response));
  }
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
