#include "archive/unpacked_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <utility>
#include <vector>

#include "archive/gunzip_source.h"
#include "base/error.h"

namespace oxbackup {
namespace {

constexpr size_t kReadSize = size_t{256} << 10;
constexpr std::string_view kGzipMagic = "\x1F\x8B";

// What libarchive decompresses.
class FilteredSource final : public ByteSource {
 public:
  FilteredSource(ByteSource& source, std::string name)
      : source_(source), name_(std::move(name)), archive_(archive_read_new()), buffer_(kReadSize) {
    archive_read_support_filter_bzip2(archive_);
    archive_read_support_filter_xz(archive_);
    archive_read_support_filter_zstd(archive_);
    archive_read_support_format_raw(archive_);
    archive_read_support_format_empty(archive_);
  }
  ~FilteredSource() override { archive_read_free(archive_); }
  FilteredSource(const FilteredSource&) = delete;
  FilteredSource& operator=(const FilteredSource&) = delete;

  size_t Read(char* buffer, size_t size) override {
    if (!opened_) Open();
    if (empty_) return 0;
    const la_ssize_t have = archive_read_data(archive_, buffer, size);
    if (have < 0) Throw();
    return static_cast<size_t>(have);
  }

 private:
  void Open() {
    opened_ = true;
    if (archive_read_open(archive_, this, nullptr, ReadCallback, nullptr) != ARCHIVE_OK) Throw();
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(archive_, &entry);
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN && code != ARCHIVE_EOF) Throw();
    empty_ = code == ARCHIVE_EOF;
  }

  static la_ssize_t ReadCallback(archive* object, void* self, const void** bytes) {
    auto* const unpacked = static_cast<FilteredSource*>(self);
    *bytes = unpacked->buffer_.data();
    try {
      return static_cast<la_ssize_t>(
          unpacked->source_.Read(unpacked->buffer_.data(), unpacked->buffer_.size()));
    } catch (...) {
      unpacked->source_error_ = std::current_exception();
      archive_set_error(object, EIO, "the source failed");
      return ARCHIVE_FATAL;
    }
  }

  [[noreturn]] void Throw() const {
    if (source_error_) std::rethrow_exception(source_error_);
    const char* const cause = archive_error_string(archive_);
    throw Error(ErrorKind::kCorrupt, fmt::format("{} cannot be decompressed", name_))
        .Cause(cause == nullptr ? "" : cause)
        .Hint("the file is damaged or incomplete; try another copy of it");
  }

  ByteSource& source_;
  const std::string name_;
  archive* archive_;
  std::vector<char> buffer_;
  std::exception_ptr source_error_;
  bool opened_ = false;
  bool empty_ = false;
};

// Looks at the first bytes and gives them out again.
class UnpackedSource final : public ByteSource {
 public:
  UnpackedSource(ByteSource& source, std::string name)
      : beginning_(source), name_(std::move(name)) {}

  size_t Read(char* buffer, size_t size) override {
    if (content_ == nullptr) {
      if (beginning_.Peek(kGzipMagic.size()) == kGzipMagic) {
        content_ = std::make_unique<GunzipSource>(beginning_, name_);
      } else {
        content_ = std::make_unique<FilteredSource>(beginning_, name_);
      }
    }
    return content_->Read(buffer, size);
  }

 private:
  class Beginning final : public ByteSource {
   public:
    explicit Beginning(ByteSource& source) : source_(source) {}

    std::string_view Peek(size_t size) {
      head_.resize(size);
      size_t have = 0;
      while (have < size) {
        const size_t now = source_.Read(head_.data() + have, size - have);
        if (now == 0) break;
        have += now;
      }
      head_.resize(have);
      left_ = MemoryByteSource(head_);
      return head_;
    }
    size_t Read(char* buffer, size_t size) override {
      const size_t have = left_.Read(buffer, size);
      return have > 0 ? have : source_.Read(buffer, size);
    }

   private:
    ByteSource& source_;
    std::string head_;
    MemoryByteSource left_{{}};
  };

  Beginning beginning_;
  const std::string name_;
  std::unique_ptr<ByteSource> content_;
};

}  // namespace

std::unique_ptr<ByteSource> UnpackSource(ByteSource& source, const std::string& name) {
  return std::make_unique<UnpackedSource>(source, name);
}

}  // namespace oxbackup
