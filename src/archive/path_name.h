// Database, table and collection names as parts of member paths.
#pragma once

#include <string>
#include <string_view>

namespace oxbackup {

/// Percent-encodes every ASCII byte but letters, digits, '_' and '$'; other UTF-8 stays as it is.
/// So '.', '-' and '/' separate names without doubt and no name needs quoting in a shell or in the
/// mysql client's `source`.
std::string EscapeName(std::string_view name);
/// The reverse. Throws Error(kCorrupt) for a malformed escape.
std::string UnescapeName(std::string_view escaped);

}  // namespace oxbackup
