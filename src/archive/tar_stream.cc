#include "archive/tar_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "archive/tar_format.h"
#include "base/error.h"

namespace oxbackup {
namespace {

constexpr size_t kReadSize = size_t{256} << 10;

}  // namespace

TarStream::TarStream(ByteSource& source, std::string name)
    : source_(source), name_(std::move(name)), archive_(archive_read_new()), buffer_(kReadSize) {
  archive_read_support_filter_gzip(archive_);
  archive_read_support_filter_bzip2(archive_);
  archive_read_support_filter_xz(archive_);
  archive_read_support_filter_zstd(archive_);
  archive_read_support_format_tar(archive_);
  const Utf8Scope utf8;
  if (archive_read_open(archive_, this, nullptr, ReadCallback, nullptr) != ARCHIVE_OK) {
    try {
      Throw("is no tar archive");
    } catch (...) {
      archive_read_free(archive_);
      throw;
    }
  }
}

TarStream::~TarStream() { archive_read_free(archive_); }

la_ssize_t TarStream::ReadCallback(archive* object, void* self, const void** bytes) {
  auto* const stream = static_cast<TarStream*>(self);
  *bytes = stream->buffer_.data();
  try {
    const size_t have = stream->source_.Read(stream->buffer_.data(), stream->buffer_.size());
    if (have > 0) {
      const size_t kept = std::min(have, static_cast<size_t>(kTarRecord));
      stream->last_bytes_.assign(stream->buffer_.data() + have - kept, kept);
    }
    return static_cast<la_ssize_t>(have);
  } catch (...) {
    stream->source_error_ = std::current_exception();
    archive_set_error(object, EIO, "the source failed");
    return ARCHIVE_FATAL;
  }
}

void TarStream::Throw(const std::string& what) {
  if (source_error_) std::rethrow_exception(source_error_);
  const char* const cause = archive_error_string(archive_);
  throw Error(ErrorKind::kCorrupt, fmt::format("{} {}", name_, what))
      .Cause(cause == nullptr ? "" : cause)
      .Hint("the file is damaged, incomplete or of another kind; try another copy of it");
}

std::optional<MemberInfo> TarStream::Next() {
  const Utf8Scope utf8;
  archive_entry* entry = nullptr;
  const int code = archive_read_next_header(archive_, &entry);
  if (source_error_) std::rethrow_exception(source_error_);
  if (code == ARCHIVE_EOF) {
    CheckEnd();
    return std::nullopt;
  }
  // A warning is about a name that is in no known character set; the bytes are there.
  if (code != ARCHIVE_OK && code != ARCHIVE_WARN) Throw("cannot be read on as a tar archive");
  return MemberInfoOfEntry(entry);
}

size_t TarStream::Read(char* buffer, size_t size) {
  const la_ssize_t have = archive_read_data(archive_, buffer, size);
  if (have < 0) Throw("breaks off inside a member");
  return static_cast<size_t>(have);
}

// libarchive takes the end of a plain file for the end of the archive, also without tar's end mark;
// a compressed file that breaks off is noticed by its filter.
void TarStream::CheckEnd() const {
  if (archive_filter_code(archive_, 0) != ARCHIVE_FILTER_NONE) return;
  const bool marked =
      last_bytes_.size() == kTarRecord && last_bytes_.find_first_not_of('\0') == std::string::npos;
  if (!marked) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is incomplete: it has no end mark", name_));
  }
}

}  // namespace oxbackup
