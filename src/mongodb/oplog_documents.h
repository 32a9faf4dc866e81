// Writes what the oplog makes of documents, a window of its entries at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context.h"
#include "mongodb/insert_batch.h"
#include "mongodb/load.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Collects changes of documents and writes the documents' final states into the collections as
/// they are loaded, under their temporary names. REQUIRES: these have no unique index but the one
/// on _id, since between two windows they are of no one moment. One thread.
class DocumentReplay {
 public:
  /// Both must outlive it. `write_concern`: empty for the server's default.
  DocumentReplay(Session& session, Bson write_concern, const RunContext& run)
      : session_(session), write_concern_(std::move(write_concern)), run_(run) {}

  /// Takes an insert, update or delete ("i", "u", "d"). Writes when enough has come together.
  void Add(const RestoredCollection& collection, std::string_view entry);
  /// Writes all that is waiting. Throws Error(kSource), or Error(kCorrupt) for what cannot be
  /// replayed exactly.
  void Flush();
  /// The collection was dropped: nothing of it is written any more.
  void Forget(const RestoredCollection& collection);
  /// How many times a document was brought up to date.
  uint64_t written() const { return written_; }

 private:
  struct Change {
    char kind = 'i';
    std::string what;  ///< the document of an insert, the `o` of an update
  };
  struct Touched {
    BsonType id_type = BsonType::kNull;
    std::string id;
    std::vector<Change> changes;
    bool done = false;
  };
  struct Window {
    std::vector<Touched> documents;  ///< in the order of their first change
    std::map<std::string, size_t> by_key;
  };
  using Consumer = std::function<void(Touched& document, std::string_view present)>;

  static std::optional<std::string> FinalState(const Touched& document,
                                               std::optional<std::string> present);
  void Write(const RestoredCollection& collection, Window& window);
  void WriteCapped(const RestoredCollection& collection, Window& window);
  void ReadPresent(const RestoredCollection& collection, Window& window, const Consumer& each);
  void Remove(const RestoredCollection& collection, const Touched& document);
  void Insert(const RestoredCollection& collection, const std::string& document);
  void Replace(const RestoredCollection& collection, const Touched& document,
               const std::string& now);
  void SendWrites(const RestoredCollection& collection);

  Session& session_;
  const Bson write_concern_;
  const RunContext run_;
  std::map<const RestoredCollection*, Window> windows_;
  uint64_t waiting_bytes_ = 0;
  uint64_t written_ = 0;
  Bson removals_;
  int32_t removal_count_ = 0;
  InsertBatch batch_;
  /// _ids that were appended to capped collections.
  std::map<const RestoredCollection*, std::set<std::string>> appended_;
};

}  // namespace oxbackup::mongodb
