// The seams through which bytes pass: a sequential source, a source with ranged reads, a sink.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace oxbackup {

/// Bytes from first to last. One thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Reads up to `size` bytes (> 0) into `buffer`; returns how many, 0 at the end only.
  /// Throws Error (kSource, kStore or kCorrupt) when the bytes cannot be had.
  virtual size_t Read(char* buffer, size_t size) = 0;
};

/// Bytes of known length that can be read at any place. Thread-safe.
class RangedSource {
 public:
  virtual ~RangedSource() = default;
  virtual uint64_t Size() const = 0;
  /// Reads exactly `size` bytes from `offset` on. Throws Error(kCorrupt) when the source ends
  /// before that, Error(kStore or kSource) when it cannot be read.
  virtual void ReadAt(uint64_t offset, char* buffer, size_t size) const = 0;
  /// For messages: a path or URL without secrets.
  virtual std::string Name() const = 0;
  /// The MD5 that its bytes have to have, in hexadecimal, where somebody has noted it beside them;
  /// else empty.
  virtual std::string ExpectedMd5() const { return {}; }
};

/// Takes bytes in order. One thread at a time. What was written counts only after Finish().
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// Throws Error(kStore) when the bytes cannot be kept; the sink is then unusable.
  virtual void Write(std::string_view bytes) = 0;
  /// Makes what was written complete and durable. Called once, last.
  virtual void Finish() = 0;
};

/// Reads a part of a RangedSource (which must outlive it) from first to last.
class RangedByteSource final : public ByteSource {
 public:
  /// REQUIRES: offset + size <= source.Size().
  RangedByteSource(const RangedSource& source, uint64_t offset, uint64_t size)
      : source_(source), offset_(offset), left_(size) {}
  size_t Read(char* buffer, size_t size) override;

 private:
  const RangedSource& source_;
  uint64_t offset_;
  uint64_t left_;
};

/// Bytes in memory, both ways. The string_view's owner must outlive it.
class MemoryByteSource final : public ByteSource {
 public:
  explicit MemoryByteSource(std::string_view bytes) : left_(bytes) {}
  size_t Read(char* buffer, size_t size) override;

 private:
  std::string_view left_;
};

/// Owned bytes with ranged reads.
class MemoryRangedSource final : public RangedSource {
 public:
  explicit MemoryRangedSource(std::string bytes, std::string name = "memory")
      : bytes_(std::move(bytes)), name_(std::move(name)) {}
  uint64_t Size() const override { return bytes_.size(); }
  void ReadAt(uint64_t offset, char* buffer, size_t size) const override;
  std::string Name() const override { return name_; }

 private:
  std::string bytes_;
  std::string name_;
};

/// Collects what is written.
class StringSink final : public ByteSink {
 public:
  void Write(std::string_view bytes) override { bytes_.append(bytes); }
  void Finish() override { finished_ = true; }
  const std::string& bytes() const { return bytes_; }
  bool finished() const { return finished_; }

 private:
  std::string bytes_;
  bool finished_ = false;
};

/// Reads all that is left. REQUIRES: at most `limit` bytes are left; throws Error(kCorrupt) above.
std::string ReadAll(ByteSource& source, uint64_t limit);

}  // namespace oxbackup
