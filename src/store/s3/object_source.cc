#include "store/s3/object_source.h"

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "stream/distant_source.h"
#include "stream/tail_reader.h"

namespace oxbackup::s3 {
namespace {

class ObjectSource final : public DistantSource {
 public:
  ObjectSource(const Bucket& bucket, ObjectHead head, std::string tail)
      : bucket_(bucket), head_(std::move(head)), tail_(std::move(tail)) {}

  uint64_t Size() const override { return head_.size; }

  void ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    if (offset > head_.size || size > head_.size - offset) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} ends early: it has {} bytes, and the bytes up to {} were wanted",
                              Name(), head_.size, offset + size));
    }
    if (size == 0) return;
    const uint64_t tail_begin = head_.size - tail_.size();
    if (offset < tail_begin) {
      const size_t ahead = std::min<uint64_t>(size, tail_begin - offset);
      bucket_.ReadRange(head_, offset, {buffer, ahead});
      offset += ahead;
      buffer += ahead;
      size -= ahead;
    }
    if (size > 0) std::memcpy(buffer, tail_.data() + (offset - tail_begin), size);
  }

  // A request takes as long as its bytes, and in another region a tenth of a second before the
  // first.
  size_t WorthAhead() const override { return 8; }
  std::string Name() const override { return bucket_.NameOf(head_.id.name); }
  std::string ExpectedMd5() const override { return head_.checksum_md5; }

 private:
  const Bucket bucket_;
  const ObjectHead head_;
  const std::string tail_;
};

}  // namespace

std::unique_ptr<RangedSource> OpenObject(const Bucket& bucket, const ObjectId& id) {
  std::string tail;
  std::optional<ObjectHead> head = bucket.ReadTail(id, TailReader::kTailBytes, tail);
  if (!head) return nullptr;
  return std::make_unique<ObjectSource>(bucket, *std::move(head), std::move(tail));
}

}  // namespace oxbackup::s3
