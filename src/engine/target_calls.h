// Calls of restore targets, as all of the engine makes them.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <vector>

#include "archive/archive_reader.h"
#include "archive/component.h"
#include "base/error.h"
#include "base/run_context.h"
#include "store/store.h"

namespace oxbackup {

/// Runs `step(target)`; an Error that leaves it says what was being done to which component.
template <class Step>
decltype(auto) ForTarget(RestoreTarget& target, std::string_view what, const Step& step) {
  return WithContext([&] { return fmt::format("{} {}", what, target.name()); },
                     [&]() -> decltype(auto) { return step(target); });
}

/// Opens the chosen archive anew: a foreign one can be read only once from an open reader. Throws
/// Error(kNotFound) when it is gone.
std::unique_ptr<ArchiveReader> Reopen(Store& store, const ObjectId& archive, const RunContext& run);

/// Closes the records in order. Ends at the first that cannot be closed: were a later component's
/// closed all the same, the next run would take the open ones for a restore that had not come to
/// its swaps (see SwapIntent). Throws Error.
void CloseAll(const std::vector<RestoreTarget*>& targets, bool keep_old);

}  // namespace oxbackup
