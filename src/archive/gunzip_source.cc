#include "archive/gunzip_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <new>
#include <utility>

#include "base/error.h"

namespace oxbackup {
namespace {

constexpr size_t kGzipReadSize = size_t{64} << 10;
constexpr int kGzipOnly = 16 + MAX_WBITS;
constexpr unsigned char kFirstByte = 0x1F;

}  // namespace

GunzipSource::GunzipSource(ByteSource& source, std::string name)
    : source_(source), name_(std::move(name)), input_(kGzipReadSize) {
  if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
}

GunzipSource::~GunzipSource() { inflateEnd(&stream_); }

size_t GunzipSource::Read(char* buffer, size_t size) {
  const uInt room = static_cast<uInt>(std::min<size_t>(size, UINT_MAX));
  stream_.next_out = reinterpret_cast<Bytef*>(buffer);
  stream_.avail_out = room;
  while (!ended_ && stream_.avail_out == room) {
    if (stream_.avail_in == 0 && !Refill()) Throw("it ends early");
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code == Z_STREAM_END) {
      BeginNextMember();
    } else if (code != Z_OK) {
      Throw(stream_.msg != nullptr ? stream_.msg : "it cannot be decompressed");
    }
  }
  return room - stream_.avail_out;
}

bool GunzipSource::Refill() {
  stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
  stream_.avail_in = static_cast<uInt>(source_.Read(input_.data(), input_.size()));
  return stream_.avail_in > 0;
}

// Files are padded with zeros on tapes, so the end is where no member begins.
void GunzipSource::BeginNextMember() {
  ended_ = (stream_.avail_in == 0 && !Refill()) || *stream_.next_in != kFirstByte;
  if (!ended_) inflateReset(&stream_);
}

void GunzipSource::Throw(const char* cause) const {
  throw Error(ErrorKind::kCorrupt, fmt::format("{} cannot be decompressed", name_))
      .Cause(cause)
      .Hint("the file is damaged or incomplete; try another copy of it");
}

}  // namespace oxbackup
