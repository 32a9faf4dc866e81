// Reading an archive out of a bucket over a line with much delay: how many requests are under way.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "archive/archive_check.h"
#include "archive/archive_testing.h"
#include "store/s3/bucket_testing.h"
#include "store/s3/object_source.h"

namespace oxbackup::s3 {
namespace {

constexpr size_t kMembers = 24;
constexpr size_t kMemberBytes = size_t{1} << 20;  // large enough for a block of its own

// Serves one object by ranges. No range of blocks is answered before `gate` of them are asked for
// at the same time, or a second has passed without that.
class DelayingObject {
 public:
  DelayingObject(std::string bytes, size_t gate) : bytes_(std::move(bytes)), gate_(gate) {}

  TestHttpResponse Answer(const TestHttpRequest& request) {
    const std::string range = request.Header("range").substr(std::string("bytes=").size());
    const size_t dash = range.find('-');
    size_t begin = 0;
    size_t end = bytes_.size();
    if (dash == 0) {
      begin = end - std::min<size_t>(end, std::stoul(range.substr(1)));
    } else {
      begin = std::stoul(range.substr(0, dash));
      end = std::stoul(range.substr(dash + 1)) + 1;
      WaitForOthers();
    }
    return {.status = 206,
            .headers = {{"ETag", "\"one\""},
                        {"Content-Range",
                         fmt::format("bytes {}-{}/{}", begin, end - 1, bytes_.size())}},
            .body = bytes_.substr(begin, end - begin)};
  }

  size_t most() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  void WaitForOthers() {
    std::unique_lock lock(mutex_);
    most_ = std::max(most_, ++under_way_);
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::seconds(1), [this] { return most_ >= gate_; });
    --under_way_;
  }

  const std::string bytes_;
  const size_t gate_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  size_t under_way_ = 0;  // guarded by mutex_
  size_t most_ = 0;       // guarded by mutex_
};

class ReadAheadTest : public ServedBucketTest {
 protected:
  ReadAheadTest() {
    std::vector<std::vector<Member>> groups;
    for (uint32_t at = 0; at < kMembers; ++at) {
      groups.push_back(
          {MakeFile(fmt::format("data/media/m/{:02}", at), RandomBytes(kMemberBytes, at))});
    }
    archive_ = WriteArchive("zstd:1", std::move(groups), run_);
  }

  // Reads all of it with that memory, and returns the most requests that were under way at once.
  size_t MostUnderWay(int threads, ByteBudget& budget, size_t gate) {
    DelayingObject object(archive_, gate);
    Answer([&](const TestHttpRequest& request) { return object.Answer(request); });
    const RunContext run{stop_.get_token(), log_, warnings_, progress_, budget, clock_};
    const std::unique_ptr<RangedSource> source = OpenObject(bucket(), ObjectId("backup.tar.zst"));
    EXPECT_NE(source, nullptr);
    size_t members = 0;
    std::mutex mutex;
    CheckWholeArchive(
        *source, threads,
        [&](const MemberInfo& info, ByteSource& content) {
          const std::string bytes = ReadAll(content, uint64_t{64} << 20);
          const std::lock_guard lock(mutex);
          if (info.path.starts_with("data/media/m/")) {
            EXPECT_EQ(bytes, RandomBytes(kMemberBytes, static_cast<uint32_t>(members)));
          }
          members += info.path.starts_with("data/media/m/") ? 1 : 0;
        },
        run);
    EXPECT_EQ(members, kMembers);
    EXPECT_LE(budget.peak(), budget.limit() / 2);
    Answer([](const TestHttpRequest&) { return Refusal(404, "NoSuchKey"); });
    return object.most();
  }

  std::string archive_;
};

TEST_F(ReadAheadTest, OneReaderHasEightRequestsMoreUnderWay) {
  ByteBudget budget(uint64_t{256} << 20);
  EXPECT_EQ(MostUnderWay(1, budget, 9), 9u);
}

TEST_F(ReadAheadTest, WithLittleMemoryThereAreAsManyAsItHasRoomFor) {
  // Half of it: the reader's block and decoder take ten mebibytes, and five blocks fit beside.
  ByteBudget budget(uint64_t{32} << 20);
  EXPECT_EQ(MostUnderWay(1, budget, 6), 6u);
}

}  // namespace
}  // namespace oxbackup::s3
