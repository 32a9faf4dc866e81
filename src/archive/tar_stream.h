// A tar stream in whatever compression, read through libarchive from first to last.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/member.h"
#include "stream/byte_stream.h"

struct archive;

namespace oxbackup {

/// One thread at a time. Errors are Error(kCorrupt) with libarchive's words, or what the source
/// threw.
class TarStream {
 public:
  /// The source must outlive it. `name` is for messages.
  TarStream(ByteSource& source, std::string name);
  ~TarStream();
  TarStream(const TarStream&) = delete;
  TarStream& operator=(const TarStream&) = delete;

  /// Goes to the next member, past what is left of the present one; nothing at the end.
  [[nodiscard]] std::optional<MemberInfo> Next();
  /// Reads the present member's content; 0 at its end.
  size_t Read(char* buffer, size_t size);

 private:
  static long ReadCallback(archive* object, void* self, const void** bytes);
  [[noreturn]] void Throw(const std::string& what);
  void CheckEnd() const;

  ByteSource& source_;
  const std::string name_;
  archive* archive_;
  std::vector<char> buffer_;
  std::string last_bytes_;  // the end of what was read so far
  std::exception_ptr source_error_;
};

}  // namespace oxbackup
