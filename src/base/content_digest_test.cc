#include <gtest/gtest.h>

#include "base/hash.h"

namespace oxbackup {
namespace {

TEST(ContentDigest, DoesNotDependOnOrderOrParts) {
  ContentDigest forward;
  forward.Add("a");
  forward.Add("b");
  forward.Add("b");
  ContentDigest one;
  one.Add("b");
  ContentDigest other;
  other.Add("b");
  other.Add("a");
  one.Merge(other);
  EXPECT_EQ(forward, one);
  EXPECT_EQ(forward.Hex(), one.Hex());
  EXPECT_EQ(forward.count(), 3u);
}

TEST(ContentDigest, TellsRepeatedRowsApart) {
  ContentDigest once;
  once.Add("a");
  ContentDigest twice = once;
  twice.Add("a");
  EXPECT_NE(once.Hex(), twice.Hex());
}

TEST(ContentDigest, IsXxh3OfTheOneItem) {
  ContentDigest digest;
  digest.Add("");
  // XXH3 128 of the empty string, seed 0, as the reference implementation publishes it.
  EXPECT_EQ(digest.Hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(Sha256, ADigestComesBackAsItsText) {
  const std::string hex = Sha256Hex("abc");
  EXPECT_EQ(Sha256Digest(hex).Hex(), hex);
  EXPECT_EQ(Sha256Digest("").Hex(), "");
  EXPECT_TRUE(Sha256Digest().empty());
  EXPECT_NE(Sha256Digest(std::string(64, '0')), Sha256Digest());
}

TEST(Sha256, MatchesThePublishedVector) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace oxbackup
