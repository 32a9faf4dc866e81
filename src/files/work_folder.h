// The folder of ours in which a tree is put together and replaced data wait.
#pragma once

#include <optional>
#include <string>

#include "base/file_descriptor.h"
#include "files/swap_place.h"
#include "files/swap_record.h"

namespace oxbackup::files {

/// Below it, where a tree is put together.
inline constexpr char kNewFolder[] = "new";

/// Opens a place's working folder without following a link; not open when there is none (also when
/// something that is no folder has its name). Throws Error(kSource) when it cannot be opened.
FileDescriptor OpenWorkFolder(const SwapPlace& place);

/// Makes it, for this user alone, where it is missing. Throws Error(kSource), also where
/// CheckIsOurs does.
FileDescriptor MakeWorkFolder(const SwapPlace& place);

/// Whether an open working folder belongs to this user or root and nobody else may write there:
/// whoever may write a tree may write something under our names, too, and a record says what is
/// renamed.
bool IsOurs(int work, const SwapPlace& place);
/// Throws Error(kSource), with what to do about it, unless it is.
void CheckIsOurs(int work, const SwapPlace& place);

/// Removes it with all it holds but what is in strays/ (entry_moves.h). Throws Error(kSource).
/// REQUIRES: its record is removed, since half-removed old data must never be taken for something
/// to go back to.
void RemoveWorkFolder(const SwapPlace& place);

/// The record in the working folder; nothing when there is none. Throws Error(kSource) or
/// Error(kCorrupt), also where CheckIsOurs does.
[[nodiscard]] std::optional<SwapRecord> RecordAt(const SwapPlace& place);

}  // namespace oxbackup::files
