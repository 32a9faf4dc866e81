// A collection made equal to another one, for servers that cannot rename it.
#pragma once

#include <string>

#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Makes `to` what `from` is: options, documents, indexes. `from` empty: nothing, `to` is dropped.
/// May be repeated after it broke off. `system.js` is never dropped, only its documents change.
void CopyCollection(Session& session, const std::string& database, const std::string& from,
                    const std::string& to);

/// Whether the server renames collections with a '.' in their names (FerretDB 2 does not). Asks for
/// a rename of a collection that does not exist; nothing is changed.
bool RenamesDottedNames(Session& session, const std::string& database);

}  // namespace oxbackup::mongodb
