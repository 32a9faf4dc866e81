// Removing and syncing folders below an open one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"

namespace oxbackup::files {

/// Opens a folder; not open, with errno set, when that fails.
FileDescriptor OpenFolder(const std::filesystem::path& path);
/// Opens a folder in `parent` without following a link; not open, with errno set, when that fails.
FileDescriptor OpenFolderAt(int parent, const std::string& name);
/// Opens it, made with mode 0700 where it is missing. Throws Error(kSource); `where` is for
/// messages.
FileDescriptor MakeFolderAt(int parent, const std::string& name, const std::string& where);
/// The names in a folder, sorted. Throws Error(kSource).
std::vector<std::string> NamesIn(int folder, const std::string& where);
/// Removes `name` with all it holds, also nothing. Links are removed, not followed; other mounts in
/// it are an error, and nothing in them is touched. Throws Error(kSource).
void RemoveTreeAt(int parent, const std::string& name, const std::string& where);
/// Throws Error(kSource) when what was done in the folder cannot be made durable.
void SyncFolderOrThrow(int folder, const std::string& where);
/// The number that the file system knows an entry by, which renaming does not change; nothing when
/// there is no such entry.
[[nodiscard]] std::optional<uint64_t> InodeAt(int folder, const std::string& name);

}  // namespace oxbackup::files
