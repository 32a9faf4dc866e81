#include "mongodb/oplog_restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "mongodb/bson_stream.h"
#include "mongodb/oplog_catalog.h"
#include "mongodb/oplog_documents.h"
#include "mongodb/oplog_entry.h"

namespace oxbackup::mongodb {
namespace {

// A window of changes, a batch of documents that is read beside it and the one that is written.
constexpr uint64_t kReplayBytes = uint64_t{48} << 20;

void ApplyOperation(std::string_view operation, OplogCatalog& catalog, DocumentReplay& documents) {
  const std::string kind = RequiredText(operation, "op");
  if (kind == "n") return;
  if (kind == "c") {
    catalog.ApplyCommand(operation);
    return;
  }
  if (kind != "i" && kind != "u" && kind != "d") {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the oplog holds the unknown operation '{}'", kind));
  }
  const std::string ns = RequiredText(operation, "ns");
  if (IsServersDatabase(DatabaseOf(ns))) return;
  if (CollectionOf(ns) == "system.views") {
    catalog.ApplyView(operation);
    return;
  }
  if (const RestoredCollection* const collection = catalog.Find(operation)) {
    documents.Add(*collection, operation);
  }
}

// A value of a type that no server writes there surfaces as an optional without one.
void Guarded(std::string_view entry, const std::function<void()>& apply) {
  WithContext([&] { return "replaying " + DescribeEntry(entry); },
              [&] {
                try {
                  apply();
                } catch (const std::bad_optional_access&) {
                  throw Error(ErrorKind::kCorrupt, "an entry of the oplog is not of a known form");
                }
              });
}

}  // namespace

std::string OplogOutcome::Text() const {
  if (entries == 0) return "nothing changed while the backup was made";
  return fmt::format("replayed {} to {}, {} brought up to date",
                     FormatCounted(entries, "entry", "entries"), last.Text(),
                     FormatCounted(documents, "document", "documents"));
}

OplogOutcome ReplayOplogOnto(std::vector<std::unique_ptr<RestoredCollection>>& collections,
                             OplogStore& oplog, SessionPool& pool, const RestoreOptions& options,
                             const NamespaceFilter& filter, const RunContext& run) {
  const Reservation memory =
      run.budget.TakeStanding(std::min(kReplayBytes, run.budget.limit() / 2));
  const SessionPool::Lease session = pool.Take();
  DocumentReplay documents(*session, ParseWriteConcern(options.write_concern), run);
  OplogCatalog catalog(
      *session, options, filter, collections,
      [&](const RestoredCollection& gone) { documents.Forget(gone); }, run);
  OplogTransactions transactions;
  OplogOutcome outcome;
  const std::unique_ptr<ByteSource> source = oplog.Open();
  BsonStream entries(*source, "oplog.bson");
  uint64_t bytes = 0;
  constexpr uint64_t kReportBytes = uint64_t{1} << 20;
  while (const auto entry = entries.Next()) {
    Guarded(*entry, [&] {
      transactions.Apply(*entry, [&](std::string_view operation) {
        ApplyOperation(operation, catalog, documents);
      });
    });
    const auto time = FindField(*entry, "ts");
    if (time && time->AsTimestamp()) outcome.last = *time->AsTimestamp();
    bytes += entry->size();
    if (bytes < kReportBytes) continue;
    run.progress.Add("mongodb", bytes, 0, "oplog");
    bytes = 0;
    run.ThrowIfStopped();
  }
  documents.Flush();
  catalog.CheckComplete();
  outcome.entries = entries.count();
  outcome.documents = documents.written();
  return outcome;
}

}  // namespace oxbackup::mongodb
