#include "stream/compression.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"

namespace oxbackup {
namespace {

struct CodecFacts {
  Codec codec;
  std::string_view name;
  std::string_view suffix;
  int least_level;
  int greatest_level;
  int default_level;  // docs/benchmarks.md says why
};

constexpr CodecFacts kCodecs[] = {
    {Codec::kXz, "xz", ".tar.xz", 0, 9, 1},
    {Codec::kZstd, "zstd", ".tar.zst", 1, 19, 3},
    {Codec::kNone, "none", ".tar", 0, 0, 0},
};

const CodecFacts& FactsOf(Codec codec) {
  for (const CodecFacts& facts : kCodecs) {
    if (facts.codec == codec) return facts;
  }
  throw Error(ErrorKind::kInternal, "a codec without a name");
}

Error BadCompression(std::string_view text) {
  return Error(ErrorKind::kUsage, fmt::format("'{}' is no compression", text))
      .Hint("give xz or xz:0 to xz:9, zstd or zstd:1 to zstd:19, or none");
}

}  // namespace

Compression ParseCompression(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  for (const CodecFacts& facts : kCodecs) {
    if (facts.name != name) continue;
    if (colon == std::string_view::npos) return {facts.codec, facts.default_level};
    const std::string_view digits = text.substr(colon + 1);
    int level = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), level);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    if (!whole || facts.codec == Codec::kNone || level < facts.least_level ||
        level > facts.greatest_level) {
      throw BadCompression(text);
    }
    return {facts.codec, level};
  }
  throw BadCompression(text);
}

std::string FormatCompression(const Compression& compression) {
  const CodecFacts& facts = FactsOf(compression.codec);
  if (compression.codec == Codec::kNone) return std::string(facts.name);
  return fmt::format("{}:{}", facts.name, compression.level);
}

std::string_view ArchiveSuffix(Codec codec) { return FactsOf(codec).suffix; }

}  // namespace oxbackup
