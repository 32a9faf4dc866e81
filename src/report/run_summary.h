// What became of a run, for those who watch from outside: a file, metrics, notifications.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace oxbackup {

/// One component of the archive that a run was about.
struct ComponentFacts {
  std::string name;
  std::optional<uint64_t> items = {};  ///< rows, documents or files
  std::optional<uint64_t> raw_bytes = {};
};

/// The archive that the site holds since a restore.
struct AppliedFacts {
  std::string archive;
  std::string version = {};
  std::optional<TimePoint> created = {};  ///< the moment that its data stand for, when known
};

/// What a command says about its run as soon as it knows it, so that a run that fails later has
/// told it too. Empty texts and values that are not set are not known.
struct RunFacts {
  std::string location = {};
  std::string archive = {};
  std::string version = {};
  std::optional<uint64_t> stored_bytes = {};
  std::optional<uint64_t> raw_bytes = {};
  std::vector<ComponentFacts> components = {};
  bool skipped = false;  ///< there was nothing to do: the archive was applied already
  bool dry_run = false;
  std::optional<AppliedFacts> applied = {};
  std::optional<uint64_t> finished_swaps = {};  ///< of earlier restores: live data changed by that
  std::optional<std::chrono::milliseconds> read_back = {};  ///< how long a backup's took
  std::optional<std::chrono::milliseconds> skew = {};       ///< between the databases' moments
  std::optional<std::chrono::milliseconds> swap = {};       ///< how long a restore held readers up
  std::optional<uint64_t> retained_archives = {};           ///< of the place, that can be restored
};

/// A run from its start to its end.
struct RunSummary {
  /// Whether it did what it was asked to, with warnings or without.
  bool succeeded() const { return exit_status == 0 || exit_status == 3; }

  std::string command;
  std::string status;   ///< the exit status's name, "complete", "warnings", …
  int exit_status = 0;  ///< as cli/exit_status.h has it
  TimePoint started{};
  TimePoint finished{};
  std::chrono::milliseconds duration{};
  RunFacts facts = {};
  std::vector<std::string> warnings = {};
  std::optional<Error> error = {};
  std::string aftermath = {};  ///< after an error, in a sentence: what is true now; may be empty
};

/// How long a summary's line is at most, bytes: what a container's termination message may have,
/// and some room for its end.
inline constexpr size_t kSummaryBytes = 4000;

/// {"type": "summary", …} as docs/operations.md has it, of at most kSummaryBytes as one line. When
/// it is longer, warnings are left out first, then texts are cut, names last; always valid JSON.
nlohmann::ordered_json SummaryJson(const RunSummary& summary);

/// The first bytes of a text, at most `most` (8 or more) with the "…" that then ends it; never half
/// a character.
std::string CutText(const std::string& text, size_t most);

}  // namespace oxbackup
