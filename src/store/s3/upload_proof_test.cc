#include "store/s3/upload_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"

namespace oxbackup::s3 {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kSize = 7;

Settings Supported() {
  Settings settings;
  settings.checksums = Checksums::kWhenSupported;
  return settings;
}

UploadedPart Part(int number, std::string_view bytes, bool with_sha256,
                  const std::string& etag = "") {
  return {.number = number,
          .etag = etag.empty() ? '"' + Hex(Md5Raw(bytes)) + '"' : etag,
          .checksum_sha256 = with_sha256 ? Base64(Sha256Raw(bytes)) : "",
          .md5 = Md5Raw(bytes)};
}

// The parts "one " and "two", noted in the order in which they end.
void AddParts(UploadProof& proof, const std::string& etag = "") {
  proof.AddPart(Part(2, "two", proof.with_sha256(), etag));
  proof.AddPart(Part(1, "one ", proof.with_sha256(), etag));
}

// What an honest server reports of them: independent of the class, by S3's documented rule.
ObjectHead Honest() {
  ObjectHead head;
  head.size = kSize;
  head.id.etag = Hex(Md5Raw(Md5Raw("one ") + Md5Raw("two"))) + "-2";
  return head;
}
std::string HonestSha256() {
  return Base64(Sha256Raw(Sha256Raw("one ") + Sha256Raw("two"))) + "-2";
}

Error ErrorOf(const UploadProof& proof, const ObjectHead& head) {
  try {
    proof.Check({}, head, kSize);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::kInternal, "nothing was thrown"};
}

TEST(UploadProofTest, TheTagOverAllPartsProves) {
  UploadProof proof{Settings(), "ours"};
  EXPECT_FALSE(proof.with_sha256());
  AddParts(proof);
  EXPECT_THAT(proof.Check({}, Honest(), kSize), HasSubstr("entity tag"));
}

// Garage up to 0.9 makes the whole object's tag of the parts' in another way: that is no damage,
// and the engine then reads the archive back.
TEST(UploadProofTest, AnotherTagProvesNothing) {
  UploadProof proof{Settings(), "ours"};
  AddParts(proof);
  EXPECT_FALSE(proof.TagDiffers(Honest()));
  ObjectHead head = Honest();
  head.id.etag = Hex(Md5Raw(Md5Raw("two") + Md5Raw("one "))) + "-2";
  EXPECT_THAT(proof.Check({}, head, kSize), IsEmpty());
  EXPECT_TRUE(proof.TagDiffers(head));
}

TEST(UploadProofTest, AnotherSizeIsCorruption) {
  UploadProof proof{Settings(), "ours"};
  AddParts(proof);
  ObjectHead head = Honest();
  head.size = 6;
  EXPECT_THAT(ErrorOf(proof, head).cause(), HasSubstr("6 bytes"));
}

TEST(UploadProofTest, TheSha256OverAllPartsProves) {
  UploadProof proof(Supported(), "ours");
  EXPECT_TRUE(proof.with_sha256());
  AddParts(proof);
  ObjectHead head = Honest();
  head.checksum_sha256 = HonestSha256();
  EXPECT_THAT(proof.Check({}, head, kSize), HasSubstr("SHA-256"));
  // Some servers tell it in the answer to the end alone.
  CompletedUpload completed;
  completed.checksum_sha256 = HonestSha256();
  EXPECT_THAT(proof.Check(completed, Honest(), kSize), HasSubstr("SHA-256"));
  head.checksum_sha256 = Base64(Sha256Raw("other")) + "-2";
  EXPECT_EQ(ErrorOf(proof, head).kind(), ErrorKind::kCorrupt);
}

TEST(UploadProofTest, TheTagProvesWhereNoSha256IsReported) {
  UploadProof proof(Supported(), "ours");
  AddParts(proof);
  EXPECT_THAT(proof.Check({}, Honest(), kSize), HasSubstr("entity tag"));
}

TEST(UploadProofTest, WithKeysOfOthersTheTagProvesNothing) {
  for (const bool kms : {false, true}) {
    Settings settings;
    settings.encryption.sse_kms = kms;
    if (!kms) settings.encryption.customer_key = std::string(32, 'k');
    UploadProof proof(settings, "ours");
    EXPECT_TRUE(proof.with_sha256()) << "required, as nothing else is left";
    AddParts(proof, "\"no MD5\"");
    ObjectHead head = Honest();
    head.id.etag = "no MD5 either";
    EXPECT_THAT(proof.Check({}, head, kSize), IsEmpty());
    EXPECT_FALSE(proof.IsOurs(head, kSize));
    head.checksum_sha256 = HonestSha256();
    EXPECT_THAT(proof.Check({}, head, kSize), HasSubstr("SHA-256"));
    EXPECT_TRUE(proof.IsOurs(head, kSize));
  }
}

// The bucket encrypts with a key service although nobody asked here: tags are no MD5s, and that
// must not look like damage. The engine then reads the archive back.
TEST(UploadProofTest, WhereTheBucketEncryptsByItselfNothingIsProven) {
  UploadProof proof{Settings(), "ours"};
  AddParts(proof, "\"no MD5\"");
  ObjectHead head = Honest();
  head.id.etag = "no MD5 either-2";
  EXPECT_THAT(proof.Check({}, head, kSize), IsEmpty());
}

TEST(UploadProofTest, OursIsWhatHasOurSizeAndTag) {
  UploadProof proof{Settings(), "ours"};
  AddParts(proof);
  EXPECT_TRUE(proof.IsOurs(Honest(), kSize));
  EXPECT_FALSE(proof.IsOurs(Honest(), kSize + 1));
  ObjectHead other = Honest();
  other.id.etag = "other-2";
  EXPECT_FALSE(proof.IsOurs(other, kSize));
}

// By a key of its own a bucket may encrypt what was sent without any: then no tag tells.
TEST(UploadProofTest, OursIsWhatHasOurMark) {
  UploadProof proof{Settings(), "ours"};
  AddParts(proof, "\"of no MD5\"");
  ObjectHead head;
  head.size = kSize;
  head.id.etag = "of no MD5-2";
  EXPECT_FALSE(proof.IsOurs(head, kSize));
  head.mark = "another's";
  EXPECT_FALSE(proof.IsOurs(head, kSize));
  head.mark = "ours";
  EXPECT_TRUE(proof.IsOurs(head, kSize));
  EXPECT_THAT(proof.Check({}, head, kSize), IsEmpty()) << "a mark proves nothing of the bytes";
}

}  // namespace
}  // namespace oxbackup::s3
