// What MySQL's JSON text leaves out of a JSON value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oxbackup::mysql {

/// A number of a JSON document that its text alone does not bring back.
struct JsonNumber {
  std::string path;     ///< where it stands, as JSON_REPLACE takes it: $."a"[0]
  std::string literal;  ///< the number in SQL, which the server reads exactly: 1.10, 3e300
};

struct JsonContent {
  /// DECIMALs that would come back as floating point, and floating point numbers of more than 15
  /// digits or large powers of ten. The library that MySQL reads JSON with promises only to come
  /// near those (9.7 reads them exactly, older versions were not at hand); its SQL is exact.
  /// A DECIMAL that is written as the DOUBLE or the integer of its value would be is not among
  /// them: it comes back as that, digit by digit the same.
  std::vector<JsonNumber> numbers;
  /// Values that are written as strings: true strings, and those of types that JSON text does not
  /// have (DATE, TIME, DATETIME, BLOB, BIT).
  uint64_t strings = 0;
};

/// Reads the text of a JSON document. REQUIRES: a MySQL server has written it; of any other text
/// the result means nothing.
JsonContent ReadJsonText(std::string_view text);

}  // namespace oxbackup::mysql
