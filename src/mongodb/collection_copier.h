// Copies collections with several readers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
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
  bool frozen = false;   ///< writers are held during Copy: counts have to agree exactly
  ReadMoment moment;
};

/// Copies collections on threads of its own; Copy is called by one thread, and again for the
/// collections that have to be read later.
class CollectionCopier {
 public:
  /// `writer` and what `run` refers to must outlive the copier.
  CollectionCopier(CopierOptions options, ArchiveWriter& writer, const RunContext& run);

  /// Copies the documents of these collections whose _id is an ObjectId below `border`; Copy, given
  /// the same collections later, then copies the rest of them. For collections that are only added
  /// to. A small one, or one whose documents cannot be told apart so, is left to Copy.
  void CopyOlder(const std::vector<CollectionInfo>& collections, const IdValue& border);

  /// Copies the collections (sorted by database and name, no views) and checks their counts.
  /// Returns what was written of each, in the same order. A collection that was dropped before any
  /// of it was written is left out with a warning: its output says so. The first error stops all.
  std::vector<std::unique_ptr<CollectionOutput>> Copy(
      const std::vector<CollectionInfo>& collections);

 private:
  using Outputs = std::vector<std::unique_ptr<CollectionOutput>>;
  using Task = std::function<void(Session&, const RunContext&)>;
  struct Begun {
    std::unique_ptr<CollectionOutput> output;
    std::vector<IdRange> rest;  // what CopyOlder left
  };

  Session& SessionFor(size_t reader);
  std::vector<Task> MakeTasks(const std::vector<CollectionInfo>& collections, Outputs& outputs);
  void AddRangeTasks(CollectionOutput& output, const std::vector<IdRange>& ranges,
                     std::vector<Task>& tasks) const;
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
  std::map<std::string, Begun> begun_;  // by full name
};

}  // namespace oxbackup::mongodb
