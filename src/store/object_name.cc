#include "store/object_name.h"

#include <fmt/format.h>

#include "base/error.h"

namespace oxbackup {

bool IsPlainObjectName(std::string_view name) {
  constexpr size_t kLongest = 255;
  return !name.empty() && name.size() <= kLongest && name.front() != '.' &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

void CheckObjectNames(const std::vector<std::string>& names) {
  if (names.empty()) throw Error(ErrorKind::kInternal, "an object needs a name");
  for (const std::string& name : names) {
    if (IsPlainObjectName(name)) continue;
    throw Error(ErrorKind::kUsage, fmt::format("'{}' cannot be the name of an archive", name))
        .Hint("use a plain file name without '/' that does not begin with a dot");
  }
}

}  // namespace oxbackup
