// Updates as the oplog has them, applied to raw documents.
#pragma once

#include <string>
#include <string_view>

namespace oxbackup::mongodb {

/// The document that an update entry's `o` makes of `document`, byte for byte as a mongod would:
/// modifiers ($v: 1, up to 4.4), diffs ($v: 2, from 5.0) or a whole replacement. A part that does
/// not fit the document is left out, as the document may be newer than the entry, whose successors
/// then bring it up to date. Throws Error(kCorrupt) for a kind of update that is not known.
std::string ApplyOplogUpdate(std::string_view document, std::string_view update);

}  // namespace oxbackup::mongodb
