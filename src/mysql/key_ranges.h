// Where a big table is cut so that several readers can read it at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mysql/catalog.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// About how much of a table one range holds, bytes.
inline constexpr uint64_t kRangeBytes = uint64_t{64} << 20;

/// The borders of an integer key's ranges between its least and greatest value: multiples of a
/// power of two, so that they stay where they are while the table grows, and move by halving or
/// doubling only when its rows change in size. Empty when one range is enough. `data_bytes`: of the
/// table.
std::vector<std::string> IntegerBorders(std::string_view least, std::string_view greatest,
                                        uint64_t data_bytes);

/// SQL literals at which ranges of the first key column begin, in the column's own order. Empty
/// when the table is to be read by one reader: small, without a key, or with one that cannot be
/// cut. Costs two index look-ups for a big table, nothing for others.
std::vector<std::string> FindBorders(Session& session, const Table& table);

/// Conditions that together take every row once: "`id` < 8", "`id` >= 8 AND `id` < 16", "`id` >=
/// 16". One empty condition without borders.
std::vector<std::string> RangeConditions(const Table& table,
                                         const std::vector<std::string>& borders);

}  // namespace oxbackup::mysql
