#include "store/s3/upload_proof.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"

namespace oxbackup::s3 {
namespace {

std::string Joined(const std::map<int, std::string>& digests) {
  std::string joined;
  for (const auto& [number, digest] : digests) joined += digest;
  return joined;
}

}  // namespace

UploadProof::UploadProof(const Settings& settings, std::string mark)
    : mark_(std::move(mark)),
      with_sha256_(settings.SendsSha256()),
      etag_is_md5_(settings.encryption.EtagIsMd5()) {}

void UploadProof::AddPart(const UploadedPart& part) {
  std::string sha256 =
      with_sha256_ ? Base64Decode(part.checksum_sha256).value_or("") : std::string();
  const bool agrees = PlainEtag(part.etag) == Hex(part.md5);
  const std::lock_guard lock(mutex_);
  tags_agree_ = tags_agree_ && agrees;
  md5_[part.number] = part.md5;
  if (with_sha256_) sha256_[part.number] = std::move(sha256);
}

std::string UploadProof::CompositeEtag() const {
  return fmt::format("{}-{}", Hex(Md5Raw(Joined(md5_))), md5_.size());
}

std::string UploadProof::CompositeSha256() const {
  return fmt::format("{}-{}", Base64(Sha256Raw(Joined(sha256_))), sha256_.size());
}

bool UploadProof::IsOurs(const ObjectHead& head, uint64_t size) const {
  if (head.mark == mark_) return true;
  if (head.size != size) return false;
  if (with_sha256_ && head.checksum_sha256 == CompositeSha256()) return true;
  return etag_is_md5_ && head.id.etag == CompositeEtag();
}

std::string UploadProof::Check(const CompletedUpload& completed, const ObjectHead& head,
                               uint64_t size) const {
  const auto differs = [](const std::string& what, const std::string& stored,
                          const std::string& sent) {
    return Error(ErrorKind::kCorrupt, "the bucket does not hold what was sent")
        .Cause(fmt::format("its {} is {}, and {} was sent", what, stored, sent))
        .Hint("run the backup again; when it happens again, the service is not to be trusted");
  };
  if (head.size != size) {
    throw differs("size", fmt::format("{} bytes", head.size), fmt::format("{} bytes", size));
  }
  const std::string& sha256 =
      head.checksum_sha256.empty() ? completed.checksum_sha256 : head.checksum_sha256;
  if (with_sha256_ && !sha256.empty()) {
    if (sha256 != CompositeSha256()) throw differs("SHA-256", sha256, CompositeSha256());
    return "the bucket's SHA-256 over all parts equals ours";
  }
  if (!TagCounts() || TagDiffers(head)) return {};
  return "the bucket's entity tag over all parts equals ours";
}

bool UploadProof::TagDiffers(const ObjectHead& head) const {
  return TagCounts() && head.id.etag != CompositeEtag();
}

}  // namespace oxbackup::s3
