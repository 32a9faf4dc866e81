// Small texts for people, and reading settings that people write.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oxbackup {

/// "1.3 GB", "812 MB", "17 bytes", "1 byte": decimal units, at most three significant digits.
std::string FormatBytes(uint64_t bytes);
/// "1,204,311".
std::string FormatCount(uint64_t count);
/// "1 row", "1,204,311 rows".
std::string FormatCounted(uint64_t count, std::string_view one, std::string_view many);
/// "38 ms", "22 s", "3 min 12 s", "3 h 12 min".
std::string FormatDuration(std::chrono::milliseconds duration);
/// Bytes with an optional unit: "256MiB", "1G" (binary: K, M, G, T, with or without iB), "5MB"
/// (decimal: KB, MB, GB, TB). Nothing for any other text or above 2^63.
[[nodiscard]] std::optional<uint64_t> ParseByteSize(std::string_view text);
/// As Tutor writes booleans: true/false, yes/no, on/off, 1/0, any case. Nothing for other text.
[[nodiscard]] std::optional<bool> ParseBool(std::string_view text);
/// ASCII letters in lower case, the rest as it is.
std::string LowerCase(std::string_view text);
/// What is between the ASCII blanks, tabs and line ends at both ends.
std::string_view Trim(std::string_view text);
/// Cuts at any of `separators`; empty pieces are dropped.
std::vector<std::string> SplitNonEmpty(std::string_view text, std::string_view separators);

}  // namespace oxbackup
