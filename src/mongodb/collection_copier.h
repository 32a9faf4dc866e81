// Copies collections with several readers.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "archive/archive_writer.h"
#include "archive/group_builder.h"
#include "base/run_context.h"
#include "mongodb/collection_output.h"
#include "mongodb/id_range.h"
#include "mongodb/read_moment.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

struct CopierOptions {
  ConnectOptions connect;
  int readers = 4;
  bool by_uuid = false;  ///< the server finds by UUID
  ReadMoment moment;
};

/// Copies collections on threads of its own; Copy is called by one thread, and again for the
/// collections that have to be read later.
class CollectionCopier {
 public:
  /// `writer` and what `run` refers to must outlive the copier.
  CollectionCopier(CopierOptions options, ArchiveWriter& writer, const RunContext& run);

  /// Copies the collections (sorted by database and name, no views) and checks their counts.
  /// Returns what was written of each, in the same order. A collection that was dropped before any
  /// of it was written is left out with a warning: its output says so. The first error stops all.
  std::vector<std::unique_ptr<CollectionOutput>> Copy(
      const std::vector<CollectionInfo>& collections);

 private:
  using Outputs = std::vector<std::unique_ptr<CollectionOutput>>;
  using Task = std::function<void(Session&, const RunContext&)>;

  Session& SessionFor(size_t reader);
  std::vector<Task> MakeTasks(const std::vector<CollectionInfo>& collections, Outputs& outputs);
  void RunTasks(const std::vector<Task>& tasks);
  void CopyRange(Session& session, CollectionOutput& output, const IdRange& range,
                 GroupBuilder* small, const RunContext& run) const;
  void CopySmall(Session& session, Outputs& outputs, const std::vector<size_t>& which,
                 const RunContext& run) const;
  void CopyWhole(Session& session, std::unique_ptr<CollectionOutput>& output, const IdRange& range,
                 GroupBuilder* small, const RunContext& run) const;

  const CopierOptions options_;
  ArchiveWriter& writer_;
  RunContext run_;
  // One a reader, made when first needed and kept over the stages; a reader uses its own alone.
  std::vector<std::unique_ptr<Session>> sessions_;
};

}  // namespace oxbackup::mongodb
