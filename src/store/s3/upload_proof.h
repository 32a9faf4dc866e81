// What shows that a bucket holds the bytes that were sent.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "store/s3/bucket.h"
#include "store/s3/settings.h"

namespace oxbackup::s3 {

/// Collects the digests of what was sent and compares them with what the server reports of the
/// whole object: its composite SHA-256 where that was asked for, else its entity tag, which is the
/// MD5 of the parts' MD5s unless the server encrypts with keys of others. Never with metadata that
/// we wrote ourselves: they only tell whose upload an object came from. AddPart may be called by
/// several threads at once, the rest by one after it. Source: "Checking object integrity" of the
/// Amazon S3 User Guide.
class UploadProof {
 public:
  /// `mark`: what the object's metadata has as "upload", as no other's has it.
  UploadProof(const Settings& settings, std::string mark);

  const std::string& mark() const { return mark_; }

  /// Whether every part is to carry a SHA-256 of its own.
  bool with_sha256() const { return with_sha256_; }
  void AddPart(const UploadedPart& part);

  /// Whether an object is the one that these parts make: told by its mark, else by its
  /// size and its tag or checksum.
  bool IsOurs(const ObjectHead& head, uint64_t size) const;
  /// Returns what was proven, as ObjectWriter::Proof; empty when the server reports nothing that
  /// can be compared. Throws Error(kCorrupt) when it reports another size or SHA-256 than was sent.
  /// Another entity tag proves nothing: Garage up to 0.9 counts it in another way.
  std::string Check(const CompletedUpload& completed, const ObjectHead& head, uint64_t size) const;
  /// Whether the object's tag could be ours, by those of its parts, and is another one.
  bool TagDiffers(const ObjectHead& head) const;

 private:
  std::string CompositeEtag() const;
  // Where the bucket encrypts by a default of its own, no part's tag is its MD5.
  bool TagCounts() const { return etag_is_md5_ && tags_agree_; }
  std::string CompositeSha256() const;

  const std::string mark_;
  const bool with_sha256_;
  const bool etag_is_md5_;
  std::mutex mutex_;
  std::map<int, std::string> md5_;     // of each part, raw; guarded by mutex_
  std::map<int, std::string> sha256_;  // guarded by mutex_
  bool tags_agree_ = true;             // each part's tag was its MD5; guarded by mutex_
};

}  // namespace oxbackup::s3
