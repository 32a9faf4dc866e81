// Bytes whose memory is neither cleared nor kept when they turn out fewer than was thought.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>

namespace oxbackup {

/// An owned buffer for the output of a codec: its bound is megabytes, its content often a tenth,
/// and std::string would touch every page of it first. Move-only.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  /// Allocates `size` bytes of any content.
  explicit ByteBuffer(size_t size) : data_(static_cast<char*>(std::malloc(size))), size_(size) {
    if (data_ == nullptr && size > 0) throw std::bad_alloc();
  }

  char* data() { return data_.get(); }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_.get(), size_}; }

  /// Gives back all memory behind the first `size` bytes. REQUIRES: size <= size().
  void Shrink(size_t size) {
    size_ = size;
    if (void* const smaller = std::realloc(data_.get(), size > 0 ? size : 1)) {
      static_cast<void>(data_.release());
      data_.reset(static_cast<char*>(smaller));
    }
  }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<char, Free> data_;
  size_t size_ = 0;
};

}  // namespace oxbackup
