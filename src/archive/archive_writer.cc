#include "archive/archive_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "archive/archive_layout.h"
#include "archive/block_pipeline.h"
#include "archive/format_member.h"
#include "archive/manifest_block.h"
#include "archive/member_cutter.h"
#include "archive/stream_buffers.h"
#include "archive/tar_format.h"
#include "base/error.h"
#include "base/hash.h"

namespace oxbackup {
namespace {

void RefuseDuplicates(const std::vector<MemberEntry>& members) {
  std::vector<std::string_view> paths;
  paths.reserve(members.size());
  for (const MemberEntry& member : members) paths.push_back(member.path);
  std::sort(paths.begin(), paths.end());
  const auto twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice != paths.end()) {
    throw Error(ErrorKind::kInternal, fmt::format("{} was added to the archive twice", *twice));
  }
}

// Fills `buffer`; fewer than `size` bytes only when the content ends.
size_t ReadFully(ByteSource& content, char* buffer, size_t size) {
  size_t have = 0;
  while (have < size) {
    const size_t now = content.Read(buffer + have, size - have);
    if (now == 0) break;
    have += now;
  }
  return have;
}

}  // namespace

class ArchiveWriter::Impl {
 public:
  Impl(ByteSink& sink, const ArchiveWriterOptions& options, const RunContext& run)
      : sink_(sink),
        options_(options),
        run_(run),
        members_memory_(run.budget.TakeStanding(0)),
        pipeline_(sink, options.compression, options.workers, run) {
    MemberGroup format;
    format.members.push_back(MakeFormatMember());
    Add(std::move(format));
  }

  void Add(MemberGroup group) {
    pipeline_.CheckFailed();
    if (group.members.empty()) return;
    const auto encoded = EncodeGroup(std::move(group));
    const std::lock_guard turn(turn_);
    for (size_t i = 0; i < encoded->headers.size(); ++i) {
      AddEntry(encoded->group.members[i].info, encoded->headers[i].size(), encoded->sha256[i]);
    }
    CutGroup(encoded, [this](RawBlock block) { pipeline_.Submit(std::move(block)); });
  }

  void AddStream(const MemberInfo& info, ByteSource& content) {
    pipeline_.CheckFailed();
    try {
      AddStreamInTurn(info, content);
    } catch (const Error& error) {
      // Somebody else's failure stops the waiting here; it is theirs that counts.
      if (error.kind() == ErrorKind::kCancelled) pipeline_.CheckFailed();
      throw;
    }
  }

  ArchiveTotals Finish(Manifest manifest);
  uint64_t stored_bytes() const { return pipeline_.stored_bytes() + final_bytes_; }

 private:
  void AddStreamInTurn(const MemberInfo& info, ByteSource& content) {
    const std::string header = EncodeCheckedHeader(info);
    // Everything is reserved before the turn begins: others wait for the turn with reservations of
    // their own in hand, so waiting for memory during it could last for ever.
    const uint64_t buffer_size = std::min(std::max<uint64_t>(info.size, 1), kBlockRawBytes);
    const uint64_t wanted = std::min((info.size + buffer_size - 1) / buffer_size,
                                     static_cast<uint64_t>(pipeline_.workers()) + 1);
    const uint64_t fitting = run_.budget.limit() / 4 / buffer_size;
    const uint64_t count = std::clamp<uint64_t>(fitting, 1, std::max<uint64_t>(wanted, 1));
    StreamBuffers buffers(static_cast<size_t>(count), static_cast<size_t>(buffer_size),
                          run_.budget.Take(count * buffer_size, pipeline_.stop_token()));
    const std::lock_guard turn(turn_);
    SubmitStream(info, header, content, buffers);
  }

  // Notes where a member lies. REQUIRES: turn_.
  void AddEntry(const MemberInfo& info, uint64_t header_size, const std::string& sha256) {
    raw_bytes_ += header_size;
    members_.push_back({info.path, 0, raw_bytes_, info.size, Sha256Digest(sha256)});
    members_bytes_ += sizeof(MemberEntry) + info.path.size();
    // Beyond this the budget would be too narrow for what is on its way.
    members_memory_.Resize(std::min(members_bytes_, run_.budget.limit() / 4));
    raw_bytes_ += PadToTarRecord(info.size);
  }

  // REQUIRES: turn_.
  void SubmitStream(const MemberInfo& info, const std::string& header, ByteSource& content,
                    StreamBuffers& buffers) {
    bool begun = false;
    try {
      const std::string sha256 = CutStream(info, header, content, buffers, &begun);
      AddEntry(info, header.size(), sha256);
    } catch (const Error& error) {
      // With a part of the member written the archive is lost, for the other producers too. They
      // get a copy, since whoever catches this one adds to it.
      if (begun) pipeline_.Fail(std::make_exception_ptr(Error(error)));
      throw;
    }
  }

  std::string CutStream(const MemberInfo& info, const std::string& header, ByteSource& content,
                        StreamBuffers& buffers, bool* begun) {
    Sha256 sha256;
    const auto owned_header = std::make_shared<const std::string>(header);
    uint64_t left = info.size;
    do {
      RawBlock block;
      if (!*begun) {
        block.pieces.push_back(*owned_header);
        block.size = owned_header->size();
      }
      const std::shared_ptr<char> buffer = buffers.Take(pipeline_.stop_token());
      const size_t size = static_cast<size_t>(std::min(left, kBlockRawBytes - block.size));
      const size_t have = ReadFully(content, buffer.get(), size);
      if (have < size) ThrowChanged(info, "shorter");
      left -= size;
      if (left == 0) ThrowUnlessEnded(info, content);
      sha256.Update({buffer.get(), size});
      block.pieces.emplace_back(buffer.get(), size);
      block.size += size;
      if (left == 0) {
        block.pieces.push_back(TarPadding(info.size));
        block.size += TarPadding(info.size).size();
      }
      block.owner = std::make_shared<std::pair<decltype(buffer), decltype(owned_header)>>(
          buffer, owned_header);
      *begun = true;
      pipeline_.Submit(std::move(block));
    } while (left > 0);
    return sha256.FinishHex();
  }

  static void ThrowUnlessEnded(const MemberInfo& info, ByteSource& content) {
    char beyond = 0;
    if (content.Read(&beyond, 1) != 0) ThrowChanged(info, "longer");
  }

  [[noreturn]] static void ThrowChanged(const MemberInfo& info, std::string_view how) {
    throw Error(ErrorKind::kSource, fmt::format("{} became {} than the {} bytes that it had",
                                                info.path, how, info.size))
        .Hint("it changed while it was read; run the backup again");
  }

  ByteSink& sink_;
  const ArchiveWriterOptions options_;
  const RunContext run_;
  std::mutex turn_;                   // one producer's members at a time
  std::vector<MemberEntry> members_;  // guarded by turn_
  uint64_t members_bytes_ = 0;        // guarded by turn_; memory of members_
  Reservation members_memory_;        // guarded by turn_; for members_
  uint64_t raw_bytes_ = 0;            // guarded by turn_
  std::atomic<uint64_t> final_bytes_ = 0;
  BlockPipeline pipeline_;
};

ArchiveTotals ArchiveWriter::Impl::Finish(Manifest manifest) {
  const std::lock_guard turn(turn_);
  std::vector<BlockRecord> records;
  pipeline_.Finish(&manifest.blocks, &records);
  if (records.size() >= kMaxBlocks) {
    throw Error(ErrorKind::kSource, "the archive would hold too many blocks for one index")
        .Hint("back the components up one by one with --only");
  }
  manifest.format_version = kFormatVersion;
  manifest.compression = FormatCompression(options_.compression);
  manifest.members = std::move(members_);
  RefuseDuplicates(manifest.members);
  const ArchiveLayout layout(manifest, 0);
  for (size_t i = 0; i < manifest.members.size(); ++i) {
    manifest.members[i].block = layout.BlockAt(layout.header_begin(i));
  }
  CheckLayout(manifest);

  const std::string text = SerializeManifest(manifest);
  const ListTotals lists = manifest.Totals();
  manifest.DropLists();
  members_memory_.Release();
  const ManifestBlock block(text);
  records.push_back(pipeline_.codec().EncodeStored(block.pieces(), sink_));
  const std::string trailer = pipeline_.codec().Trailer(records);
  sink_.Write(trailer);
  sink_.Finish();
  final_bytes_ = records.back().stored_size + trailer.size();
  return {raw_bytes_ + block.size(), stored_bytes(), lists};
}

ArchiveWriter::ArchiveWriter(ByteSink& sink, const ArchiveWriterOptions& options,
                             const RunContext& run)
    : impl_(std::make_unique<Impl>(sink, options, run)) {}
ArchiveWriter::~ArchiveWriter() = default;
void ArchiveWriter::Add(MemberGroup group) { impl_->Add(std::move(group)); }
void ArchiveWriter::AddStream(const MemberInfo& info, ByteSource& content) {
  impl_->AddStream(info, content);
}
ArchiveTotals ArchiveWriter::Finish(Manifest manifest) {
  return impl_->Finish(std::move(manifest));
}
uint64_t ArchiveWriter::stored_bytes() const { return impl_->stored_bytes(); }

}  // namespace oxbackup
