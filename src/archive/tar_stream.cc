#include "archive/tar_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "archive/tar_format.h"
#include "archive/unpacked_source.h"
#include "base/error.h"

namespace oxbackup {
namespace {

constexpr size_t kTarReadSize = size_t{256} << 10;

}  // namespace

TarStream::TarStream(ByteSource& source, std::string name)
    : source_(UnpackSource(source, name)),
      name_(std::move(name)),
      archive_(archive_read_new()),
      buffer_(kTarReadSize) {
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
    const size_t have = stream->source_->Read(stream->buffer_.data(), stream->buffer_.size());
    if (have > 0) stream->buffered_ = have;
    stream->given_ += have;
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
  if (in_member_ && archive_read_data_skip(archive_) != ARCHIVE_OK) {
    Throw("breaks off inside a member");
  }
  const int64_t members_end = archive_filter_bytes(archive_, 0);
  archive_entry* entry = nullptr;
  const int code = archive_read_next_header(archive_, &entry);
  if (source_error_) std::rethrow_exception(source_error_);
  if (code == ARCHIVE_EOF) {
    CheckEnd(members_end);
    return std::nullopt;
  }
  // A warning is about a name that is in no known character set; the bytes are there.
  if (code != ARCHIVE_OK && code != ARCHIVE_WARN) Throw("cannot be read on as a tar archive");
  in_member_ = true;
  return MemberInfoOfEntry(entry);
}

size_t TarStream::Read(char* buffer, size_t size) {
  const la_ssize_t have = archive_read_data(archive_, buffer, size);
  if (have < 0) Throw("breaks off inside a member");
  return static_cast<size_t>(have);
}

// libarchive takes the end of the bytes for the end of the archive, also without tar's end mark,
// and reads nothing behind the mark. A compressed file that was cut where a piece of it ends, and a
// wrong check at the file's very end, come out here.
void TarStream::CheckEnd(int64_t members_end) {
  const int64_t end = archive_filter_bytes(archive_, 0);
  if (end == members_end) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is incomplete: it has no end mark", name_))
        .Hint("try another copy of it");
  }
  const size_t behind =
      std::min(buffered_, static_cast<size_t>(given_ - static_cast<uint64_t>(end)));
  std::string_view bytes(buffer_.data() + buffered_ - behind, behind);
  do {
    if (bytes.find_first_not_of('\0') != std::string_view::npos) {
      throw Error(ErrorKind::kCorrupt, fmt::format("{} goes on behind its end mark", name_))
          .Cause("what follows, perhaps a second archive, would not be read")
          .Hint("cut it off, or unpack it with `tar --ignore-zeros` and pack it anew");
    }
    bytes = std::string_view(buffer_.data(), source_->Read(buffer_.data(), buffer_.size()));
  } while (!bytes.empty());
}

}  // namespace oxbackup
