// An open file, closed when its owner goes away.
#pragma once

#include <string_view>
#include <utility>

namespace oxbackup {

/// Owns a file descriptor. Move-only.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  /// Closes it now. What was written must have been synced before: errors of close are not told.
  void Close();
  /// Closes it and returns 0 or the error number: where network file systems tell of a full disk or
  /// quota first. Not a sync.
  [[nodiscard]] int CloseChecked();
  /// Gives it away.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// Writes all bytes, however many calls it takes. Returns 0 or the error number.
[[nodiscard]] int WriteFully(int fd, std::string_view bytes);

/// Makes what was done to a file or a folder durable. Returns 0 or the error number; file systems
/// that cannot sync a folder (some network and FUSE ones) count as done.
[[nodiscard]] int SyncFile(int fd);
[[nodiscard]] int SyncFolder(int fd);

}  // namespace oxbackup
