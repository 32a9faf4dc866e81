// MongoDB's extended JSON into BSON, and single values for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "mongodb/bson.h"

namespace oxbackup::mongodb {

/// Reads extended JSON as people write it (canonical, relaxed, and the shell's old `$oid` forms, as
/// libbson takes them); it mistakes some operators of queries for values, so what dumps hold is for
/// FromCanonicalJson. Throws Error(kCorrupt) with libbson's words; `what` names the text.
Bson FromJson(std::string_view json, const std::string& what);

/// A value as relaxed extended JSON, cut at `limit` characters: `{"$oid": "…"}`, `"text"`, `17`.
std::string ValueText(const Element& element, size_t limit = 120);

}  // namespace oxbackup::mongodb
