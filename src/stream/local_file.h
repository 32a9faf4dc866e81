// A file of this machine as a source of bytes.
#pragma once

#include <memory>
#include <string>

#include "base/file_descriptor.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// Ranged reads of an open regular file; it stays readable when its name is removed. Thread-safe.
class LocalFileSource final : public RangedSource {
 public:
  /// `name` is for messages. Throws Error(kStore) when the file cannot be examined.
  LocalFileSource(FileDescriptor file, std::string name);
  uint64_t Size() const override { return size_; }
  void ReadAt(uint64_t offset, char* buffer, size_t size) const override;
  std::string Name() const override { return name_; }

 private:
  FileDescriptor file_;
  std::string name_;
  uint64_t size_ = 0;
};

/// Opens a regular file in an open folder; nothing when there is none of that name (also when it is
/// a folder, a pipe or a device). Throws Error(kStore) when it is there and cannot be opened.
/// `folder_name` is for messages.
[[nodiscard]] std::unique_ptr<RangedSource> OpenLocalFileAt(int folder, const std::string& name,
                                                            const std::string& folder_name);

}  // namespace oxbackup
