// Names of the schemas that a restore works in, and who owns which.
#pragma once

#include <string>
#include <string_view>

namespace oxbackup::mysql {

/// The database that holds our records of restores. Never part of a backup or a restore.
inline constexpr std::string_view kRecordDatabase = "openedx_backup";

/// True for names that restores keep for themselves: kRecordDatabase and what ShadowName and
/// OldName give. Databases of such names are neither copied nor restored.
bool IsReservedName(std::string_view database);

/// Where a database is loaded beside the live one: "openedx__restore". Names that would be too long
/// for the server are shortened and told apart by a hash.
std::string ShadowName(std::string_view database);
/// Where its old tables wait after the swap: "openedx__old".
std::string OldName(std::string_view database);

}  // namespace oxbackup::mysql
