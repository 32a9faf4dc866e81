#include "mysql/quote.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace oxbackup::mysql {
namespace {

// The letter after the backslash for bytes that are escaped, 0 for the others.
constexpr std::array<char, 256> MakeEscapes() {
  std::array<char, 256> escapes{};
  escapes['\0'] = '0';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\x1a'] = 'Z';
  escapes['\\'] = '\\';
  escapes['\''] = '\'';
  return escapes;
}
constexpr std::array<char, 256> kEscapes = MakeEscapes();

// Sixteen bytes at once; GCC and Clang turn this into the vector instructions of each processor.
using Bytes16 = uint8_t __attribute__((vector_size(16)));
using Halves = uint64_t __attribute__((vector_size(16)));

bool AnyToEscape(const char* bytes) {
  Bytes16 v;
  std::memcpy(&v, bytes, sizeof v);
  const auto hits = (v == 0) | (v == '\n') | (v == '\r') | (v == 0x1a) | (v == '\\') | (v == '\'');
  const auto halves = reinterpret_cast<Halves>(hits);
  return (halves[0] | halves[1]) != 0;
}

}  // namespace

std::string QuoteName(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`') quoted += '`';
    quoted += c;
  }
  return quoted += '`';
}

std::string QuoteName(std::string_view database, std::string_view name) {
  return QuoteName(database) + '.' + QuoteName(name);
}

std::string QuoteString(std::string_view value) {
  std::string quoted = "'";
  AppendEscaped(value, quoted);
  return quoted += '\'';
}

std::string NameIs(std::string_view column, std::string_view name) {
  const std::string quoted = QuoteString(name);
  return fmt::format("{0} = {1} AND CAST({0} AS BINARY) = CAST({1} AS BINARY)", column, quoted);
}

void AppendEscaped(std::string_view value, std::string& out) {
  const char* const end = value.data() + value.size();
  const char* run = value.data();  // first byte not yet appended
  const char* at = run;
  while (at != end) {
    if (end - at >= 16 && !AnyToEscape(at)) {
      at += 16;
      continue;
    }
    const char* const stop = end - at >= 16 ? at + 16 : end;
    for (; at != stop; ++at) {
      const char escape = kEscapes[static_cast<unsigned char>(*at)];
      if (escape == 0) continue;
      out.append(run, at);
      out += '\\';
      out += escape;
      run = at + 1;
    }
  }
  out.append(run, end);
}

}  // namespace oxbackup::mysql
