// Writes an archive: groups of members come from many threads, blocks are compressed on all cores
// and leave in order through one sink.
#pragma once

#include <memory>
#include <string>

#include "archive/manifest.h"
#include "archive/member.h"
#include "base/run_context.h"
#include "stream/byte_stream.h"
#include "stream/compression.h"

namespace oxbackup {

struct ArchiveWriterOptions {
  Compression compression;
  int workers = 2;  ///< compressing threads, at least 1; fewer run when the budget demands it
};

/// What has been written. Meaningful after Finish().
struct ArchiveTotals {
  uint64_t raw_bytes = 0;     ///< of the tar stream
  uint64_t stored_bytes = 0;  ///< of the archive file
  ListTotals lists;           ///< of the manifest as it was written
};

/// Destroyed before Finish(), it stops its threads and leaves the sink unfinished (and thereby
/// removed). The first error of any of its threads is thrown by the next call of any method.
class ArchiveWriter {
 public:
  /// `sink` and what `run` refers to must outlive the writer.
  ArchiveWriter(ByteSink& sink, const ArchiveWriterOptions& options, const RunContext& run);
  ~ArchiveWriter();

  /// Adds the members of a group one after the other in blocks of their own. Thread-safe; groups of
  /// different threads may come out in any order. Waits while the byte budget is used up.
  void Add(MemberGroup group);
  /// Adds a file that is larger than memory should hold; other threads' members wait meanwhile.
  /// Throws Error(kSource) when `content` does not give exactly `info.size` bytes. Thread-safe.
  void AddStream(const MemberInfo& info, ByteSource& content);
  /// Fills in the manifest's members and blocks, writes it as the last member, finishes the archive
  /// and then the sink. Called once, last.
  ArchiveTotals Finish(Manifest manifest);
  /// Bytes handed to the sink so far. Thread-safe.
  uint64_t stored_bytes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace oxbackup
