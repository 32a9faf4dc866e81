// Removing the live collections before a restore in place loads the archive's.
#pragma once

#include <map>
#include <set>
#include <string>

#include "archive/archive_reader.h"
#include "base/run_context.h"
#include "mongodb/restore_options.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// What the swap of an archive would move away. Used by one thread.
class LiveRemoval {
 public:
  /// All must outlive it.
  LiveRemoval(Session& session, const RestoreOptions& options, const RunContext& run);

  /// Reads which collections the archive brings, and all documents of a foreign one. Changes
  /// nothing. Throws Error (kUsage for what the server cannot have, kCorrupt, kSource).
  void Prepare(ArchiveReader& reader);
  /// Drops what is live of them, and what else a restore takes away in their databases. Throws
  /// Error(kSource).
  void Remove();

 private:
  void TakeMember(const MemberInfo& info, ByteSource& content);

  Session& session_;
  const RestoreOptions& options_;
  const RunContext& run_;
  const NamespaceFilter filter_;
  std::map<std::string, std::set<std::string>> comes_;  // by database, under the live names
};

}  // namespace oxbackup::mongodb
