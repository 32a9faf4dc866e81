// Giving a finished file its final name without ever replacing another file.
#pragma once

#include <initializer_list>
#include <string>

namespace oxbackup {

/// The ways to do it. Each is safe against any second writer; kLockedRename, for file systems that
/// have neither of the others, against writers that use this function.
enum class PublishMethod { kRenameNoReplace, kLink, kLockedRename };

/// Gives `temporary` the name `name` within the open folder `folder`; false when that name is
/// taken. Uses the first of `methods` that the file system has. `temporary` is gone afterwards on
/// success. Throws Error(kStore) when no method works.
[[nodiscard]] bool PublishNoReplace(int folder, const std::string& temporary,
                                    const std::string& name,
                                    std::initializer_list<PublishMethod> methods = {
                                        PublishMethod::kRenameNoReplace, PublishMethod::kLink,
                                        PublishMethod::kLockedRename});

}  // namespace oxbackup
