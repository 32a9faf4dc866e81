// Texts as people write them: many scripts, emoji, names, and the identifiers Open edX makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "random.h"

namespace sitegen {

/// Plain English-like words, `count` of them.
std::string Words(Random& random, size_t count);
/// A text of about `bytes` bytes in one of a dozen scripts, now and then with emoji.
std::string Prose(Random& random, size_t bytes);
/// A given name and a family name, each in some script.
std::string GivenName(Random& random);
std::string FamilyName(Random& random);
/// Lower-case hexadecimal digits.
std::string Hex(Random& random, size_t digits);
std::string Uuid(Random& random);
/// URL-safe base64 of random bytes, `length` characters.
std::string Token(Random& random, size_t length);
/// Seconds since 1970 of some moment between 2016 and 2026.
int64_t Moment(Random& random);
/// "2021-03-04 05:06:07.123456", as MySQL takes it.
std::string SqlTime(int64_t seconds, int micros);
std::string SqlTime(Random& random);
/// "2021-03-04T05:06:07Z".
std::string IsoTime(int64_t seconds);

}  // namespace sitegen
