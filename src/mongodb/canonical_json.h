// What mongodump's and our own metadata.json hold: canonical extended JSON, read exactly.
#pragma once

#include <string>
#include <string_view>

#include "mongodb/bson.h"

namespace oxbackup::mongodb {

/// Reads canonical extended JSON (version 2), and what mongodump wrote before 4.2 in its place:
/// plain numbers, dates as text, binaries as `{"$binary": base64, "$type": hex}`. An object stands
/// for a value of another type only if it has that form's keys and no others, with values of the
/// right kind; everything else is the document that it looks like. So operators of queries and
/// pipelines (`$type`, `$regex`, `$uuid`, …) are kept, which libbson's reader takes for values or
/// refuses.
/// Throws Error(kCorrupt); `what` names the text.
Bson FromCanonicalJson(std::string_view json, const std::string& what);

}  // namespace oxbackup::mongodb
