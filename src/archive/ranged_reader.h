// Reads archives of ours by ranges, on many threads.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/archive_layout.h"
#include "archive/archive_reader.h"
#include "archive/manifest_block.h"

namespace oxbackup {

class RangedReader final : public ArchiveReader {
 public:
  RangedReader(std::unique_ptr<RangedSource> owned, std::unique_ptr<ArchiveTail> tail);
  /// Reads from a source that outlives it.
  RangedReader(const RangedSource& source, std::unique_ptr<ArchiveTail> tail);

  const Manifest* manifest() const override { return &tail_->manifest; }
  bool random_access() const override { return true; }
  void Read(const MemberFilter& filter, const MemberConsumer& consumer, int threads,
            const RunContext& run) override;
  std::string Name() const override { return source_.Name(); }

  const ArchiveTail& tail() const { return *tail_; }
  const ArchiveLayout& layout() const { return layout_; }

 private:
  /// The wanted members of one unit, in order.
  using Work = std::vector<size_t>;
  /// The blocks that hold a work's members, in order.
  std::vector<size_t> BlocksOf(const Work& work) const;
  std::vector<Work> Choose(const MemberFilter& filter) const;
  void ReadMembers(const Work& work, class BlockCursor& cursor, const MemberConsumer& consumer,
                   const std::stop_token& stop) const;

  std::unique_ptr<RangedSource> owned_;
  const RangedSource& source_;
  std::unique_ptr<ArchiveTail> tail_;
  ArchiveLayout layout_;
};

}  // namespace oxbackup
