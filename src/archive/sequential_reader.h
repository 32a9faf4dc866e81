// Reads any tar archive from first to last: foreign ones, and ours from a pipe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "archive/archive_reader.h"

namespace oxbackup {

/// Ours are known by their first member or by a manifest at the end; then every member is compared
/// with the manifest when that comes, last of all.
class SequentialReader final : public ArchiveReader {
 public:
  /// Gives the archive's bytes from the first on; nothing when they cannot be had once more.
  using Opener = std::function<std::unique_ptr<ByteSource>()>;

  SequentialReader(Opener open, std::string name);

  const Manifest* manifest() const override { return manifest_.get(); }
  bool random_access() const override { return false; }
  void Read(const MemberFilter& filter, const MemberConsumer& consumer, int threads,
            const RunContext& run) override;
  std::string Name() const override { return name_; }

 private:
  Opener open_;
  std::string name_;
  std::unique_ptr<Manifest> manifest_;
};

/// Reads the first member's header, so that what is no archive is found out at once. Throws
/// Error(kCorrupt) when the bytes are no tar archive.
void ProbeFirstMember(ByteSource& source, const std::string& name);

}  // namespace oxbackup
