// What a restore writes down before it swaps, so that whoever finds it can finish or undo it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/component.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Where the records live (RestoreOptions::record_database), one document a swap.
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
  std::string restored;  ///< what comes in; empty: nothing does
  std::string old;       ///< a copy of what is live; empty: nothing is
};

enum class SwapState {
  kOpen,     ///< announced; nothing, some or all of it is done
  kDone,     ///< done, the old data are kept (restore --undo)
  kUndoing,  ///< somebody asked for the old data back
  kClosing,  ///< done, the old data are being dropped
};

struct SwapRecord {
  SwapIntent intent;
  SwapState state = SwapState::kOpen;
  std::vector<SwapMove> moves;
  std::vector<SwapCopy> copies;
};

Bson ToBson(const SwapRecord& record);
/// Throws Error(kCorrupt) when the document is no record of ours.
SwapRecord ParseSwapRecord(std::string_view document);

/// All records, oldest first. There is at most one that is not kDone. An empty list also when the
/// user may not read them (then he could not have written one either).
std::vector<SwapRecord> ReadSwapRecords(Session& session, const std::string& database);
/// Writes a record, new or changed, and returns when it is durable: majority and journaled where
/// the server has that. Throws Error(kSource).
void WriteSwapRecord(Session& session, const std::string& database, const SwapRecord& record);
void RemoveSwapRecord(Session& session, const std::string& database, const SwapRecord& record);

}  // namespace oxbackup::mongodb
