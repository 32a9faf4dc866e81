#include "mongodb/bson_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "mongodb/bson.h"

namespace oxbackup::mongodb {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10;

}  // namespace

bool BsonStream::Fill(size_t wanted) {
  if (end_ - begin_ >= wanted) return true;
  if (buffer_.size() < begin_ + std::max(wanted, kReadBytes)) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (buffer_.size() < std::max(wanted, kReadBytes)) buffer_.resize(std::max(wanted, kReadBytes));
  }
  while (end_ - begin_ < wanted) {
    const size_t got = source_.Read(buffer_.data() + end_, buffer_.size() - end_);
    if (got == 0) return false;
    end_ += got;
  }
  return true;
}

std::optional<std::string_view> BsonStream::Next() {
  if (!Fill(4)) {
    if (begin_ == end_) return std::nullopt;
    throw Error(ErrorKind::kCorrupt, fmt::format("{} ends inside document {}", name_, count_ + 1));
  }
  const auto length = DocumentLength(std::string_view(buffer_).substr(begin_, 4));
  if (!length) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} has no BSON document at its place {}", name_, count_ + 1));
  }
  if (!Fill(*length)) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} ends inside document {}", name_, count_ + 1));
  }
  const std::string_view document = std::string_view(buffer_).substr(begin_, *length);
  if (document.back() != '\0') {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("document {} of {} has no end", count_ + 1, name_));
  }
  begin_ += *length;
  ++count_;
  return document;
}

}  // namespace oxbackup::mongodb
