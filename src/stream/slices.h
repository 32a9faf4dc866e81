// Work on a block in slices, so that a stop is noticed in the middle of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string_view>

#include "base/error.h"

namespace oxbackup {

/// Calls `take` with slices of `pieces` in order until it returns false; returns whether it took
/// all. Throws Error(kCancelled) between two slices once `stop` is requested.
template <class Take>
bool TakeInSlices(std::span<const std::string_view> pieces, const std::stop_token& stop,
                  const Take& take) {
  // xz compresses about a megabyte a second at its highest level.
  constexpr size_t kSliceBytes = size_t{64} << 10;
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      if (stop.stop_requested()) throw CancelledError();
      const std::string_view slice = piece.substr(0, std::min(piece.size(), kSliceBytes));
      if (!take(slice)) return false;
      piece.remove_prefix(slice.size());
    }
  }
  return true;
}

}  // namespace oxbackup
