// Whether a server can hold what an archive has: found out by the manifest, before anything is
// loaded, and in place before anything is removed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "archive/manifest.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Detail of a table in the manifest: the general tablespaces that it lies in, separated by commas.
inline constexpr char kTablespaces[] = "tablespaces";

/// Throws Error(kUsage) naming the first of `objects`, those that are to be restored, that the
/// server cannot take: a row longer than its max_allowed_packet, a name in upper case where it
/// keeps all in lower case, a table in a tablespace that it does not have.
void RefuseMisfits(Session& session, const std::vector<const ObjectEntry*>& objects);

/// The part of it about names; `setting`: the server's lower_case_table_names.
void RefuseFoldedNames(std::string_view setting, const std::vector<const ObjectEntry*>& objects);

}  // namespace oxbackup::mysql
