// A tar stream in whatever compression, read from first to last.
#pragma once

#include <cstdint>
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

  /// Goes to the next member, past what is left of the present one; nothing at the end. The end is
  /// tar's end mark with nothing but zeros from there to the end of the file, whose compression's
  /// checks have then all been compared; anything else is Error(kCorrupt).
  [[nodiscard]] std::optional<MemberInfo> Next();
  /// Reads the present member's content; 0 at its end.
  size_t Read(char* buffer, size_t size);

 private:
  static long ReadCallback(archive* object, void* self, const void** bytes);
  [[noreturn]] void Throw(const std::string& what);
  void CheckEnd(int64_t members_end);

  const std::unique_ptr<ByteSource> source_;  // the uncompressed bytes
  const std::string name_;
  archive* archive_;
  std::vector<char> buffer_;
  size_t buffered_ = 0;  // bytes of the buffer that were given to libarchive last
  uint64_t given_ = 0;   // bytes that were given to it at all
  bool in_member_ = false;
  std::exception_ptr source_error_;
};

}  // namespace oxbackup
