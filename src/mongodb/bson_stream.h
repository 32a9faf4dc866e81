// Cuts a stream of BSON documents at their borders.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stream/byte_stream.h"

namespace oxbackup::mongodb {

/// Documents from first to last, each in memory for itself. One thread at a time.
class BsonStream {
 public:
  /// `source` must outlive the stream; `name` is for messages.
  BsonStream(ByteSource& source, std::string name) : source_(source), name_(std::move(name)) {}
  /// The next document's bytes, valid until the next call; nothing at the end. Throws
  /// Error(kCorrupt) when the stream ends inside a document or a length is impossible; what is
  /// inside a document is not judged.
  [[nodiscard]] std::optional<std::string_view> Next();
  uint64_t count() const { return count_; }

 private:
  bool Fill(size_t wanted);

  ByteSource& source_;
  std::string name_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t count_ = 0;
};

}  // namespace oxbackup::mongodb
