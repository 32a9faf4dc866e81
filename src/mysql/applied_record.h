// What a restore has brought into the server, as it is written down there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/component.h"
#include "mysql/restore_options.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

struct AppliedRecord {
  AppliedArchive archive;
  /// What of the archive was to be restored (ScopeOf).
  std::string scope;
  /// Tables that came in, by database.
  std::map<std::string, std::vector<std::string>> tables;

  friend bool operator==(const AppliedRecord&, const AppliedRecord&) = default;
};

/// JSON, and back: nothing where it is not what this version writes.
std::string SerializeAppliedRecord(const AppliedRecord& record);
[[nodiscard]] std::optional<AppliedRecord> ParseAppliedRecord(std::string_view json);

/// The settings that say what of an archive is restored, as a text: equal when they mean the same.
std::string ScopeOf(const RestoreOptions& options);

/// Whether all databases and tables of the record are there, whatever is in them.
bool IsStillThere(Session& session, const AppliedRecord& record);

}  // namespace oxbackup::mysql
