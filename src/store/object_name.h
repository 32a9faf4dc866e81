// Which names objects of a store may have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oxbackup {

/// True for a name without '/' and NUL that does not begin with '.' and has 1 to 255 bytes. Names
/// with a leading dot are the stores' own: unfinished objects.
bool IsPlainObjectName(std::string_view name);

/// Throws Error(kUsage) when one of the names is not plain. REQUIRES: names is not empty.
void CheckObjectNames(const std::vector<std::string>& names);

}  // namespace oxbackup
