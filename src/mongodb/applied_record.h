// What a restore has brought into the server, as it is written down there.
#pragma once

#include <optional>
#include <string>

#include "archive/component.h"
#include "mongodb/restore_options.h"
#include "mongodb/session.h"
#include "mongodb/swap_record.h"

namespace oxbackup::mongodb {

/// Beside kRecordCollection: one document about the data that are live, or none. It holds only
/// while there is no record that is kOpen or kUndoing. It is replaced by a drop and an insert, for
/// the same want of rights; between them nothing is known.
inline constexpr char kAppliedCollection[] = "applied";

/// The settings that say what of an archive is restored, as a text: equal when they mean the same.
std::string ScopeOf(const RestoreOptions& options);

/// What a done swap has brought: archive, scope and collections.
Bson AppliedBy(const SwapRecord& record);

/// What stands there while live data are gone that a restore in place has removed.
inline constexpr char kRemovalField[] = "removal";
Bson RemovalNote(const AppliedArchive& awaited);

/// The document, of either kind; nothing also when the user may not read it.
[[nodiscard]] std::optional<Bson> ReadApplied(Session& session, const std::string& database);
/// Replaces it durably; nothing: it is not known what is live. Throws Error(kSource).
void WriteApplied(Session& session, const std::string& database,
                  const std::optional<Bson>& applied);

/// The archive of such a document when it was restored with this scope and all collections and
/// views that it brought are there, by their UUIDs where the server has those.
[[nodiscard]] std::optional<AppliedArchive> StillApplied(Session& session, const Bson& applied,
                                                         const std::string& scope);

}  // namespace oxbackup::mongodb
