// The calls of the S3 protocol that archives need, on one bucket and one folder in it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "store/s3/client.h"
#include "store/s3/listing.h"
#include "store/store.h"

namespace oxbackup::s3 {

/// One part of an upload that the server has.
struct UploadedPart {
  int number = 0;               ///< 1 to 10,000
  std::string etag;             ///< as the server gave it, with its quotes
  std::string checksum_sha256;  ///< Base64; empty when none was sent
  std::string md5;              ///< of the bytes that were sent, raw
};

/// What a HEAD or the headers of a GET tell of an object.
struct ObjectHead {
  ObjectId id;  ///< with version and etag
  uint64_t size = 0;
  TimePoint modified{};
  std::string checksum_sha256;  ///< composite; empty when there is none
  std::string checksum_md5;     ///< user metadata that the predecessor wrote; empty when none
  std::string mark;             ///< user metadata, of the upload that made it; empty when none
  bool delete_marker = false;
  bool with_customer_key = false;  ///< ReadTail: its content is read with S3_SSE_CUSTOMER_KEY
  ObjectLock lock;
};

/// Thread-safe. Names are within the folder; every error names the object as s3://bucket/key. Calls
/// end with Error(kCancelled) when the run is stopped.
class Bucket {
 public:
  /// `folder`: empty, or with a '/' at its end. `client` has to outlive the bucket.
  Bucket(Client& client, std::string folder) : client_(client), folder_(std::move(folder)) {}

  /// "s3://bucket/folder", for messages.
  std::string Location() const;
  std::string NameOf(const std::string& name) const;
  Client& client() const { return client_; }

  /// All objects of the folder, not of folders in it, by key; `versions`: all versions and delete
  /// markers too.
  std::vector<ObjectInfo> List(bool versions) const;
  /// Where the keys may not ask, what the versions in the folder tell: kSuspended when there are
  /// some, since whether new ones come to them is not known.
  Versioning LookAtVersioning() const;

  /// Whether a new object of that name would meet one that is there, also one that these keys
  /// cannot read (of another S3_SSE_CUSTOMER_KEY).
  bool IsTaken(const std::string& name, Versioning versioning) const;
  /// Whether there is an object or a delete marker of that id.
  bool Exists(const ObjectId& id) const;
  /// nullopt when there is none of that id.
  [[nodiscard]] std::optional<ObjectHead> Head(const ObjectId& id) const;
  /// The last `size` bytes of an object, or all that it has, in `tail`; nullopt when there is none.
  /// What was stored before S3_SSE_CUSTOMER_KEY was set is read without it.
  [[nodiscard]] std::optional<ObjectHead> ReadTail(const ObjectId& id, uint64_t size,
                                                   std::string& tail) const;
  /// Fills `buffer` from `offset` on. Throws Error(kStore) when the object has been replaced or
  /// removed. `head`: ReadTail's.
  void ReadRange(const ObjectHead& head, uint64_t offset, std::span<char> buffer) const;
  /// With a version that one for ever; by name alone what is current.
  void Remove(const ObjectId& id) const;

  /// Returns the upload's id. `headers`: of the object that it will be.
  std::string BeginUpload(const std::string& name, const HttpHeaders& headers) const;
  /// Sends one part, checked by the server. `with_sha256`: as a checksum of its own too.
  UploadedPart UploadPart(const std::string& name, const std::string& upload, int number,
                          std::string_view bytes, bool with_sha256,
                          const std::stop_token& stop) const;
  /// nullopt: an object of that name is there (`replace` false), the upload is gone, since a first
  /// try was carried out and its answer was lost, or the answer cannot be read: Head tells which.
  [[nodiscard]] std::optional<CompletedUpload> CompleteUpload(
      const std::string& name, const std::string& upload, const std::vector<UploadedPart>& parts,
      bool replace) const;
  /// Gives up an upload with all its parts; also after the run was stopped, with one try of at most
  /// 10 s. Returns what went wrong, or nothing.
  [[nodiscard]] std::optional<Error> AbortUpload(const std::string& name,
                                                 const std::string& upload) const;
  /// Uploads whose name begins so; nullopt when the keys may not ask. MinIO answers for whole names
  /// alone.
  [[nodiscard]] std::optional<std::vector<ListedUpload>> Uploads(
      const std::string& name_prefix) const;
  /// The name of a key; empty for one that lies elsewhere.
  std::string NameOfKey(const std::string& key) const;

 private:
  Operation ObjectOperation(const char* method, const std::string& doing, const char* action,
                            const ObjectId& id) const;
  Operation BucketOperation(const std::string& doing, const char* action) const;
  HttpHeaders CustomerKeyHeaders() const;
  HttpResponse RequestHead(const ObjectId& id) const;
  // With the customer's key when there is one, and again without it when the server says that the
  // object is not encrypted by such a key. `with_key`: which one the answer is to. `operation`
  // expects kBadRequest.
  HttpResponse CallWithKey(const Operation& operation, bool& with_key) const;
  // Of the objects whose name begins so. nullopt for an answer of a status of `expected` that says
  // that the keys may not list.
  [[nodiscard]] std::optional<std::vector<ObjectInfo>> ListPages(
      bool versions, const std::string& name_prefix, const std::vector<int>& expected) const;
  // Whether a list has what a new object of that name would meet.
  bool IsListed(const std::string& name, Versioning versioning) const;
  // nullopt when the keys may not list versions.
  [[nodiscard]] std::optional<bool> HasVersions() const;

  Client& client_;
  const std::string folder_;
};

}  // namespace oxbackup::s3
