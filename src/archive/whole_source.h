// An object from its first byte to its last, read ahead.
#pragma once

#include <memory>

#include "base/byte_budget.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// Reads `source` in large pieces, the next of which is on its way while the present one is used: a
/// bucket answers each request only after a while. At the end the bytes are compared with
/// source.ExpectedMd5(), if it has one: Error(kCorrupt) then instead of the end. `budget`: gives
/// the memory of two pieces as long as the result lives; it has to outlive it.
std::unique_ptr<ByteSource> ReadWhole(std::shared_ptr<const RangedSource> source,
                                      ByteBudget& budget);

}  // namespace oxbackup
