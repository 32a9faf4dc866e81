#include "archive/block_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/hash.h"

namespace oxbackup {
namespace {

std::string BlockName(size_t block, const ArchiveLayout& layout, const std::string& archive) {
  return fmt::format("reading block {} of {} ({} bytes at {}) of {}", block + 1,
                     layout.block_count(), layout.manifest().blocks[block].stored_size,
                     layout.stored_begin(block), archive);
}

}  // namespace

BlockCursor::BlockCursor(std::string name, const ArchiveTail& tail, const ArchiveLayout& layout,
                         Fetch fetch)
    : name_(std::move(name)),
      tail_(tail),
      layout_(layout),
      fetch_(std::move(fetch)),
      decoder_(tail.block_codec->NewDecoder()) {}

void BlockCursor::CheckStored(size_t block) {
  const BlockEntry& entry = layout_.manifest().blocks[block];
  WithContext([&] { return BlockName(block, layout_, name_); },
              [&] {
                // Not both at once: each stands for the memory of one block.
                stored_ = std::string();
                stored_ = fetch_(block);
                if (Xxh3_128Hex(stored_) != entry.digest) {
                  ThrowBadBlock("its digest is not the manifest's");
                }
                if (tail_.block_codec->RecordOf(stored_, entry.raw_size) != tail_.blocks[block]) {
                  ThrowBadBlock("the index has other sizes");
                }
              });
}

void BlockCursor::Open(size_t block) {
  block_.reset();
  CheckStored(block);
  WithContext([&] { return BlockName(block, layout_, name_); }, [&] { decoder_->Start(stored_); });
  block_ = block;
  position_ = layout_.raw_begin(block);
}

void BlockCursor::Close() {
  char beyond = 0;
  if (decoder_->Read(&beyond, 1) != 0) ThrowBadBlock("it holds more than the manifest says");
  block_.reset();
}

void BlockCursor::MoveTo(uint64_t raw_offset) {
  const bool inside =
      block_ && raw_offset >= position_ && raw_offset < layout_.raw_begin(*block_ + 1);
  if (!inside) {
    if (!block_ && raw_offset == position_) return;
    Open(layout_.BlockAt(raw_offset));
  }
  std::array<char, 16384> passed_over;
  while (position_ < raw_offset) {
    Read(passed_over.data(),
         static_cast<size_t>(std::min<uint64_t>(passed_over.size(), raw_offset - position_)));
  }
}

size_t BlockCursor::Read(char* buffer, size_t size) {
  if (!block_) {
    if (position_ == layout_.raw_begin(layout_.block_count())) return 0;
    Open(layout_.BlockAt(position_));
  }
  const size_t block = *block_;
  const uint64_t end = layout_.raw_begin(block + 1);
  return WithContext([&] { return BlockName(block, layout_, name_); },
                     [&] {
                       const size_t wanted =
                           static_cast<size_t>(std::min<uint64_t>(size, end - position_));
                       const size_t have = decoder_->Read(buffer, wanted);
                       if (have == 0) ThrowBadBlock("it holds less than the manifest says");
                       position_ += have;
                       if (position_ == end) Close();
                       return have;
                     });
}

}  // namespace oxbackup
