// A source of bytes at the other end of a line.
#pragma once

#include "stream/byte_stream.h"

namespace oxbackup {

/// Each of its reads has a delay of its own, whatever its size: readers that know what they need
/// next do well to ask for it beforehand.
class DistantSource : public RangedSource {
 public:
  /// How many ranges it pays to have under way beside those that somebody waits for.
  virtual size_t WorthAhead() const = 0;
};

}  // namespace oxbackup
