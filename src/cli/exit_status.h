// Exit statuses: stable, documented in --help and docs/operations.md, mirrored in JSON.
#pragma once

#include <array>
#include <string_view>

#include "base/error.h"

namespace oxbackup {

enum class ExitStatus {
  kComplete = 0,
  kFailed = 1,
  kUsage = 2,
  kWarnings = 3,
  kNotFound = 4,
  kCorrupt = 5,
  kInterrupted = 130,
};

struct ExitStatusText {
  ExitStatus status;
  std::string_view name;     ///< as JSON has it
  std::string_view meaning;  ///< for --help and the manual
};

/// All of them, ascending.
inline constexpr std::array<ExitStatusText, 7> kExitStatuses = {{
    {ExitStatus::kComplete, "complete", "complete"},
    {ExitStatus::kFailed, "failed", "failed; the error says what to do"},
    {ExitStatus::kUsage, "usage", "wrong usage: a flag, a variable or a setting"},
    {ExitStatus::kWarnings, "warnings", "done, with warnings that somebody has to read"},
    {ExitStatus::kNotFound, "not_found",
     "nothing suitable found: no such archive, nothing to undo"},
    {ExitStatus::kCorrupt, "corrupt", "an archive is damaged, or data differ from it"},
    {ExitStatus::kInterrupted, "interrupted",
     "interrupted, or the question was not answered by yes"},
}};

/// The status that a run ends with after an error of this kind.
constexpr ExitStatus StatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return ExitStatus::kUsage;
    case ErrorKind::kNotFound:
      return ExitStatus::kNotFound;
    case ErrorKind::kCorrupt:
      return ExitStatus::kCorrupt;
    case ErrorKind::kCancelled:
      return ExitStatus::kInterrupted;
    case ErrorKind::kSource:
    case ErrorKind::kStore:
    case ErrorKind::kInternal:
      return ExitStatus::kFailed;
  }
  return ExitStatus::kFailed;
}

/// Its stable name in JSON.
constexpr std::string_view StatusName(ExitStatus status) {
  for (const ExitStatusText& text : kExitStatuses) {
    if (text.status == status) return text.name;
  }
  return "failed";
}

}  // namespace oxbackup
