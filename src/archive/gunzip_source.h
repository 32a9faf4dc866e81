// The content of a gzip file, with its checks compared.
#pragma once

#include <zlib.h>

#include <string>
#include <vector>

#include "stream/byte_stream.h"

namespace oxbackup {

/// One member after the other, as gzip does; what follows the last one and is none is left unread.
/// Unlike libarchive (up to 3.7) it compares each member's CRC and size: a flipped byte is
/// Error(kCorrupt), as is a member that breaks off.
class GunzipSource final : public ByteSource {
 public:
  /// The source must outlive it. `name` is for messages.
  GunzipSource(ByteSource& source, std::string name);
  ~GunzipSource() override;
  GunzipSource(const GunzipSource&) = delete;
  GunzipSource& operator=(const GunzipSource&) = delete;

  size_t Read(char* buffer, size_t size) override;

 private:
  bool Refill();
  void BeginNextMember();
  [[noreturn]] void Throw(const char* cause) const;

  ByteSource& source_;
  const std::string name_;
  std::vector<char> input_;
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace oxbackup
