#include "archive/ranged_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "archive/block_ahead.h"
#include "archive/block_cursor.h"
#include "archive/tar_format.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/task_group.h"
#include "stream/distant_source.h"

namespace oxbackup {
namespace {

// A member's content, hashed on its way. The last bytes are given out only when the hash is right.
class CheckedContent final : public ByteSource {
 public:
  CheckedContent(BlockCursor& cursor, const MemberEntry& member, const std::stop_token& stop)
      : cursor_(cursor), member_(member), stop_(stop), left_(member.size) {
    if (left_ == 0) CheckDigest();
  }

  size_t Read(char* buffer, size_t size) override {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(size, left_));
    if (wanted == 0) return 0;
    if (stop_.stop_requested()) throw CancelledError();
    const size_t have = cursor_.Read(buffer, wanted);
    sha256_.Update({buffer, have});
    left_ -= have;
    if (left_ == 0) CheckDigest();
    return have;
  }

 private:
  void CheckDigest() {
    if (!member_.sha256.empty() && Sha256Digest(sha256_.FinishHex()) != member_.sha256) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the content of {} is not what was backed up", member_.path));
    }
  }

  BlockCursor& cursor_;
  const MemberEntry& member_;
  const std::stop_token& stop_;
  uint64_t left_;
  Sha256 sha256_;
};

// Tells what to do about a member that cannot be read, whoever found it out: a hint that is nearer
// to the cause stays.
template <class Body>
void WithAdvice(Body&& body) {
  try {
    body();
  } catch (Error& error) {
    if (error.kind() == ErrorKind::kCorrupt) {
      error.Hint("do not trust this archive, use another one (openedx-backup list shows them)");
    }
    throw;
  }
}

void PassOver(ByteSource& content) {
  std::array<char, 16384> buffer;
  while (content.Read(buffer.data(), buffer.size()) > 0) {
  }
}

size_t WorthAhead(const RangedSource& source) {
  const auto* const distant = dynamic_cast<const DistantSource*>(&source);
  return distant == nullptr ? 0 : distant->WorthAhead();
}

MemberInfo ReadHeader(const ArchiveLayout& layout, size_t index, BlockCursor& cursor) {
  const MemberEntry& member = layout.manifest().members[index];
  const uint64_t begin = layout.header_begin(index);
  cursor.MoveTo(begin);
  std::string header(static_cast<size_t>(member.offset - begin), '\0');
  for (size_t have = 0; have < header.size();) {
    have += cursor.Read(header.data() + have, header.size() - have);
  }
  const MemberInfo info = DecodeTarHeader(header);
  const bool is_file = info.type == MemberType::kFile;
  if (info.path != member.path || info.size != member.size || is_file == member.sha256.empty()) {
    throw Error(ErrorKind::kCorrupt, "a tar header says something else than the manifest");
  }
  return info;
}

}  // namespace

RangedReader::RangedReader(std::unique_ptr<RangedSource> owned, std::unique_ptr<ArchiveTail> tail)
    : owned_(std::move(owned)),
      source_(*owned_),
      tail_(std::move(tail)),
      layout_(tail_->manifest, tail_->header_size) {}

RangedReader::RangedReader(const RangedSource& source, std::unique_ptr<ArchiveTail> tail)
    : source_(source), tail_(std::move(tail)), layout_(tail_->manifest, tail_->header_size) {}

std::vector<size_t> RangedReader::BlocksOf(const Work& work) const {
  std::vector<size_t> blocks;
  for (const size_t index : work) {
    const MemberEntry& member = tail_->manifest.members[index];
    // The last byte of its content, or of its header when it has none.
    const size_t last = layout_.BlockAt(member.offset + member.size - 1);
    size_t block = static_cast<size_t>(member.block);
    if (!blocks.empty()) block = std::max(block, blocks.back() + 1);
    for (; block <= last; ++block) blocks.push_back(block);
  }
  return blocks;
}

std::vector<RangedReader::Work> RangedReader::Choose(const MemberFilter& filter) const {
  std::vector<Work> works;
  for (const ArchiveLayout::Unit& unit : layout_.Units()) {
    Work work;
    for (size_t index = unit.first; index < unit.last; ++index) {
      if (filter(tail_->manifest.members[index].path)) work.push_back(index);
    }
    if (!work.empty()) works.push_back(std::move(work));
  }
  return works;
}

void RangedReader::ReadMembers(const Work& work, BlockCursor& cursor,
                               const MemberConsumer& consumer, const std::stop_token& stop) const {
  for (const size_t index : work) {
    const MemberEntry& member = tail_->manifest.members[index];
    WithContext([&] { return fmt::format("reading {}", member.path); },
                [&] {
                  WithAdvice([&] {
                    const MemberInfo info = ReadHeader(layout_, index, cursor);
                    CheckedContent content(cursor, member, stop);
                    consumer(info, content);
                    PassOver(content);
                  });
                });
  }
}

void RangedReader::Read(const MemberFilter& filter, const MemberConsumer& consumer, int threads,
                        const RunContext& run) {
  const std::vector<Work> works = Choose(filter);
  if (works.empty()) return;
  std::vector<std::vector<size_t>> blocks;
  uint64_t block_bytes = 0;  // the most that one takes
  size_t block_count = 0;
  for (const Work& work : works) {
    blocks.push_back(BlocksOf(work));
    block_count += blocks.back().size();
    for (const size_t block : blocks.back()) {
      block_bytes = std::max(block_bytes, tail_->manifest.blocks[block].stored_size);
    }
  }
  // Half of the budget, first for those who decompress, then for what is fetched ahead.
  const uint64_t room = run.budget.limit() / 2;
  const uint64_t per_thread = block_bytes + tail_->block_codec->DecoderMemory();
  const uint64_t fitting = std::clamp<uint64_t>(room / per_thread, 1, works.size());
  const size_t readers =
      static_cast<size_t>(std::min(fitting, static_cast<uint64_t>(std::max(threads, 1))));
  const uint64_t left = room - std::min(room, readers * per_thread);
  const size_t ahead = static_cast<size_t>(std::min<uint64_t>(
      {WorthAhead(source_), left / block_bytes, block_count - std::min(block_count, readers)}));
  // Standing, since consumers wait for memory of their own while a thread of ours calls them.
  const Reservation memory = run.budget.TakeStanding(readers * per_thread + ahead * block_bytes);

  BlockAhead fetcher(source_, layout_, blocks, readers, ahead);
  TaskGroup group(run.stop);
  for (size_t reader = 0; reader < readers; ++reader) {
    group.Run([&, reader](const std::stop_token& stop) {
      BlockCursor cursor(source_.Name(), *tail_, layout_,
                         [&](size_t block) { return fetcher.Take(reader, block, stop); });
      while (const std::optional<size_t> work = fetcher.NextWork(reader)) {
        if (stop.stop_requested()) throw CancelledError();
        ReadMembers(works[*work], cursor, consumer, stop);
      }
    });
  }
  for (size_t i = 0; i < ahead; ++i) {
    group.Run([&](const std::stop_token& stop) {
      fetcher.AwaitReaders(stop);
      fetcher.Run(stop);
    });
  }
  group.Wait();
}

}  // namespace oxbackup
