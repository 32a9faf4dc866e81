// What a restore writes down before it swaps, so that whoever finds it can finish or undo it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/component.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Where the records live (RestoreOptions::record_database): one document for each state that a
/// swap came to, the newest of which counts. They are only ever inserted, and the collection is
/// dropped as a whole, since that is what the role `restore` may: it has neither update nor remove.
inline constexpr char kRecordCollection[] = "swaps";

/// A life name and what happens to it. Collections are moved, so both states stay whole; views
/// cannot be renamed, so their definitions are here.
struct SwapMove {
  std::string database;
  std::string name;
  std::string restored;  ///< name beside it of the collection that comes in; empty: none
  std::string old;       ///< name beside it that the live collection gets; empty: none is live
  std::string stray;     ///< for what writers create in the gap of a swap one by one
  std::optional<Bson> old_view;       ///< viewOn, pipeline, collation of the view that is live
  std::optional<Bson> new_view;       ///< of the view that comes in
  std::optional<Uuid> old_uuid;       ///< of the live collection, where the server has UUIDs
  std::optional<Uuid> restored_uuid;  ///< of the one that comes in

  std::string ns() const { return database + "." + name; }
};

/// A collection that the server cannot rename: `system.js`, and on FerretDB 2 each with a '.' in
/// its name. It is made equal to one of its copies, which stay whole meanwhile.
struct SwapCopy {
  std::string database;
  std::string name;
  std::string restored;  ///< what comes in; empty: nothing does, or it is in and old data are kept
  std::string old;       ///< a copy of what is live; empty: nothing is
};

enum class SwapState {
  kOpen,     ///< announced; nothing, some or all of it is done
  kDone,     ///< done, the old data are kept (restore --undo)
  kUndoing,  ///< somebody asked for the old data back
  kClosing,  ///< done, the old data are being dropped
  kClosed,   ///< at its end; its documents go with the collection
};

struct SwapRecord {
  SwapIntent intent;
  SwapState state = SwapState::kOpen;
  int64_t writes = 0;  ///< documents of it that there are
  std::vector<SwapMove> moves;
  std::vector<SwapCopy> copies;
  std::string scope;                ///< ScopeOf the options (mongodb/applied_record.h)
  std::optional<Bson> old_applied;  ///< what was written down about what was live before

  /// Once all is done, going back needs the old copies alone, and the names of the others are the
  /// next restore's to load into.
  void ForgetLoadedCopies() {
    for (SwapCopy& copy : copies) copy.restored.clear();
  }
};

Bson ToBson(const SwapRecord& record);
/// Throws Error(kCorrupt) when the document is no record of ours.
SwapRecord ParseSwapRecord(std::string_view document);

/// All records that are not closed, oldest first. There is at most one that is not kDone. An empty
/// list also when the user may not read them (then he could not have written one either).
std::vector<SwapRecord> ReadSwapRecords(Session& session, const std::string& database);
/// Writes a record, new or changed, as InsertDurably does. Throws Error(kSource), also when another
/// run has changed the record since it was read.
void WriteSwapRecord(Session& session, const std::string& database, SwapRecord& record);
/// Inserts a document and returns when it is durable: majority and journaled, and on a server
/// without a journal in a checkpoint, if the account may ask for one (else within a minute, by the
/// server itself). Throws Error(kSource) that begins with `what`.
void InsertDurably(Session& session, const std::string& database, std::string_view collection,
                   const Bson& document, const std::string& what);
/// Closes a record. With the last one goes the collection, unless somebody else put something into
/// it.
void RemoveSwapRecord(Session& session, const std::string& database, SwapRecord& record);

}  // namespace oxbackup::mongodb
