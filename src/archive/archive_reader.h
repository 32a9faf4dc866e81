// Reads archives: ours by ranges and on many threads, ours from a pipe and foreign ones in order;
// one interface for all.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "archive/manifest.h"
#include "archive/member.h"
#include "base/run_context.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// Takes members. `content` gives info.size bytes and is valid during the call only; what is not
/// read of it is passed over. With several threads it is called by several at once, each with a
/// member of its own. An exception ends the reading and is rethrown by ArchiveReader::Read.
using MemberConsumer = std::function<void(const MemberInfo& info, ByteSource& content)>;
/// Chooses members by path. Thread-safe, no side effects.
using MemberFilter = std::function<bool(const std::string& path)>;

/// Every member's path is checked before it is delivered: absolute ones and ones with ".." or NUL
/// are Error(kCorrupt). Content of archives with a manifest is checked against its SHA-256 while it
/// is delivered: the consumer sees the bytes first, the Error(kCorrupt) follows at the member's
/// end, so nothing read may go live before Read has returned.
class ArchiveReader {
 public:
  virtual ~ArchiveReader() = default;
  /// Nothing (nullptr) for foreign archives, and for ours from a pipe until Read has returned.
  virtual const Manifest* manifest() const = 0;
  /// True when members can be read in any order, several times and by several threads.
  virtual bool random_access() const = 0;
  /// Delivers the members that `filter` accepts. With random access `threads` (>= 1) threads
  /// deliver; members that lie together in blocks come in order on one thread. Without it, members
  /// come in archive order on the calling thread, each Read reads the archive from its begin, and
  /// for a pipe (OpenSequentialArchive) Read works once. Throws Error(kCorrupt) on any disagreement
  /// with the index, the manifest or the checks.
  virtual void Read(const MemberFilter& filter, const MemberConsumer& consumer, int threads,
                    const RunContext& run) = 0;
  /// For messages.
  virtual std::string Name() const = 0;
};

/// Calls `visit` with the path of every member; an archive without a manifest is read through for
/// that. Throws as ArchiveReader::Read does.
void ForEachPath(ArchiveReader& reader, const RunContext& run,
                 const std::function<void(const std::string& path)>& visit);

/// Opens an archive: ours when the index and manifest at its tail say so, else as a foreign one
/// (any tar, plain or compressed with xz, gzip, zstd or bzip2).
/// Throws Error(kCorrupt) when it is neither, or is ours but damaged or incomplete.
std::unique_ptr<ArchiveReader> OpenArchive(std::unique_ptr<RangedSource> source,
                                           const RunContext& run);
/// Opens an archive that can only be read once from first to last (a pipe).
std::unique_ptr<ArchiveReader> OpenSequentialArchive(std::unique_ptr<ByteSource> source,
                                                     std::string name);

/// Reads only the index and the manifest at the tail of one of our archives, with the fewest reads;
/// nothing when it is a foreign archive. Throws Error(kCorrupt) when it is ours but damaged.
[[nodiscard]] std::unique_ptr<Manifest> ReadManifest(const RangedSource& source);

}  // namespace oxbackup
