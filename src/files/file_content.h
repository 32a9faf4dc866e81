// Reading files that others may be writing to.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/hash.h"
#include "stream/byte_stream.h"

namespace oxbackup::files {

/// A file's content, read whole.
struct FileContent {
  std::string bytes;
  struct stat status {};  ///< as it was when the content was read
  bool changed = false;   ///< it never held still: the bytes may mix two states
};

/// Reads a file of up to `limit` bytes. When its size or time changes meanwhile it is read again, a
/// few times. Throws Error(kSource), naming `path`, when it cannot be read. A file that has grown
/// past `limit` comes back with that many bytes and `changed`.
FileContent ReadWholeFile(int fd, const std::string& path, uint64_t limit);

/// Gives exactly `size` bytes of an open file, whatever happens to it meanwhile: what it has grown
/// by is left out, and what it has lost is filled with zero bytes.
class SteadyFileSource final : public ByteSource {
 public:
  /// `fd` must stay open; `path` is for messages; `on_read` hears of every piece (bytes).
  SteadyFileSource(int fd, std::string path, uint64_t size, std::function<void(uint64_t)> on_read);

  /// Throws Error(kSource) when the file cannot be read.
  size_t Read(char* buffer, size_t size) override;

  /// Bytes that were missing and are zeros now.
  uint64_t filled() const { return filled_; }
  /// SHA-256 of what was given, in hexadecimal. Called once, after the end.
  std::string FinishSha256() { return hash_.FinishHex(); }

 private:
  const int fd_;
  const std::string path_;
  uint64_t left_;
  std::function<void(uint64_t)> on_read_;
  uint64_t filled_ = 0;
  Sha256 hash_;
};

/// True when size or times differ between two looks at a file.
bool HasChanged(const struct stat& before, const struct stat& after);

}  // namespace oxbackup::files
