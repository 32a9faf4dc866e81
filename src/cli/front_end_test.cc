#include "cli/front_end.h"

#include <gtest/gtest.h>

namespace oxbackup {
namespace {

TEST(FrontEndTest, CommandsAreTheFrontEnds) {
  EXPECT_EQ(
      InFrontEndsWords("Restore with:\n    openedx-backup restore --from /data/backup --name a\n",
                       "tutor local"),
      "Restore with:\n    tutor local restore --name a\n");
  EXPECT_EQ(InFrontEndsWords("openedx-backup restore --from '/it'\\''s my/place' --name 'a b'\n",
                             "tutor local"),
            "tutor local restore --name 'a b'\n");
  EXPECT_EQ(InFrontEndsWords("openedx-backup list shows what there is; openedx-backup inspect too",
                             "tutor local"),
            "tutor local backups list shows what there is; tutor local backups inspect too");
  EXPECT_EQ(InFrontEndsWords("To go back: openedx-backup restore --undo", "tutor dev"),
            "To go back: tutor dev restore --undo");
}

TEST(FrontEndTest, ABucketIsTheOneOfTheFrontEndsSettings) {
  EXPECT_EQ(InFrontEndsWords("openedx-backup restore --from s3://b/f --name a", "tutor local"),
            "tutor local restore --download --name a");
  EXPECT_EQ(InFrontEndsWords("openedx-backup prune --from s3://b --keep-last 3", "tutor local"),
            "tutor local backups prune --remote --keep-last 3");
  EXPECT_EQ(InFrontEndsWords("openedx-backup restore --from s3://b/f --name a", "tutor k8s"),
            "tutor k8s restore --name a");
}

TEST(FrontEndTest, SettingsOfTheBucketHaveTheFrontEndsNames) {
  EXPECT_EQ(InFrontEndsWords("S3_SSE and S3_SSE_KMS_KEY_ID; AWS_S3_X, S3_, S3_TAGS", "tutor local"),
            "BACKUP_S3_SSE and BACKUP_S3_SSE_KMS_KEY_ID; AWS_S3_X, S3_, BACKUP_S3_TAGS");
  EXPECT_EQ(InFrontEndsWords("set S3_ENDPOINT_URL", "tutor local"), "set BACKUP_S3_HOST");
  EXPECT_EQ(InFrontEndsWords("set S3_ENDPOINT_URL", ""), "set S3_ENDPOINT_URL");
}

TEST(FrontEndTest, OtherWordsStay) {
  EXPECT_EQ(InFrontEndsWords("openedx-backup 5.0.0", "tutor local"), "openedx-backup 5.0.0");
  EXPECT_EQ(InFrontEndsWords("openedx-backup list", ""), "openedx-backup list");
}

}  // namespace
}  // namespace oxbackup
