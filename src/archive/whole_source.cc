#include "archive/whole_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace oxbackup {
namespace {

constexpr uint64_t kPieceBytes = uint64_t{4} << 20;

class WholeSource final : public ByteSource {
 public:
  WholeSource(std::shared_ptr<const RangedSource> source, ByteBudget& budget)
      : source_(std::move(source)),
        memory_(budget.TakeStanding(2 * kPieceBytes)),
        expected_md5_(source_->ExpectedMd5()) {
    FetchNext();
  }

  size_t Read(char* buffer, size_t size) override {
    if (used_ == piece_.size() && !NextPiece()) return 0;
    const size_t bytes = std::min(size, piece_.size() - used_);
    std::memcpy(buffer, piece_.data() + used_, bytes);
    used_ += bytes;
    return bytes;
  }

 private:
  void FetchNext() {
    const uint64_t size = std::min(kPieceBytes, source_->Size() - fetched_);
    if (size == 0) return;
    next_ = std::async(std::launch::async, [this, offset = fetched_, size] {
      std::string bytes(size, '\0');
      source_->ReadAt(offset, bytes.data(), size);
      return bytes;
    });
    fetched_ += size;
  }

  bool NextPiece() {
    if (!next_.valid()) {
      CompareMd5();
      return false;
    }
    piece_ = next_.get();
    used_ = 0;
    FetchNext();
    if (!expected_md5_.empty()) md5_.Update(piece_);
    return true;
  }

  // Asked for again at the end, it is compared once.
  void CompareMd5() {
    if (expected_md5_.empty()) return;
    const std::string have = md5_.FinishHex();
    const std::string wanted = LowerCase(expected_md5_);
    expected_md5_.clear();
    if (have == wanted) return;
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is not what was stored", source_->Name()))
        .Cause(fmt::format("its MD5 is {}, and {} was noted with it", have, wanted))
        .Hint("choose another archive");
  }

  const std::shared_ptr<const RangedSource> source_;
  const Reservation memory_;
  std::string expected_md5_;
  Md5 md5_;
  std::string piece_;
  size_t used_ = 0;
  uint64_t fetched_ = 0;
  // Last: waited for before what it uses goes away.
  std::future<std::string> next_;
};

}  // namespace

std::unique_ptr<ByteSource> ReadWhole(std::shared_ptr<const RangedSource> source,
                                      ByteBudget& budget) {
  return std::make_unique<WholeSource>(std::move(source), budget);
}

}  // namespace oxbackup
