#include "mysql/script_splitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "base/text.h"

namespace oxbackup::mysql {
namespace {

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

}  // namespace

bool ScriptSplitter::Ensure(size_t bytes) {
  while (buffer_.size() - at_ < bytes && !at_end_) {
    if (start_ > 0) {
      CountLines();
      buffer_.erase(0, start_);
      at_ -= start_;
      start_ = 0;
      counted_ = 0;
    }
    if (buffer_.size() > kMaxStatementBytes) {
      throw Error(
          ErrorKind::kCorrupt,
          fmt::format("the SQL script has a statement of more than {} bytes", kMaxStatementBytes));
    }
    const size_t held = buffer_.size();
    buffer_.resize(held + read_bytes_);
    const size_t got = source_.Read(buffer_.data() + held, read_bytes_);
    buffer_.resize(held + got);
    at_end_ = got == 0;
  }
  return buffer_.size() - at_ >= bytes;
}

void ScriptSplitter::CountLines() {
  const auto from = buffer_.begin() + static_cast<ptrdiff_t>(counted_);
  const auto to = buffer_.begin() + static_cast<ptrdiff_t>(start_);
  line_ += static_cast<uint64_t>(std::count(from, to, '\n'));
  counted_ = start_;
}

bool ScriptSplitter::StartsWith(std::string_view text) {
  return Ensure(text.size()) && buffer_.compare(at_, text.size(), text) == 0;
}

// "--" is a comment only before white space or the end, as in "5--1", which is a sum.
bool ScriptSplitter::AtLineComment() {
  if (buffer_[at_] == '#') return true;
  if (!StartsWith("--")) return false;
  return !Ensure(3) || static_cast<unsigned char>(buffer_[at_ + 2]) <= ' ';
}

void ScriptSplitter::PassLineComment() {
  while (Ensure(1)) {
    const size_t end = buffer_.find('\n', at_);
    if (end != std::string::npos) {
      at_ = end + 1;
      return;
    }
    at_ = buffer_.size();
  }
}

void ScriptSplitter::PassBlockComment() {
  at_ += 2;
  while (Ensure(2)) {
    const size_t end = buffer_.find("*/", at_);
    if (end != std::string::npos) {
      at_ = end + 2;
      return;
    }
    at_ = buffer_.size() - 1;  // the '*' may be the last byte so far
  }
  throw Error(ErrorKind::kCorrupt, "the SQL script ends inside a comment");
}

void ScriptSplitter::PassQuoted(char quote) {
  ++at_;
  const char escape = backslash_escapes_ && quote != '`' ? '\\' : quote;
  while (Ensure(1)) {
    const char* const data = buffer_.data();
    const size_t size = buffer_.size();
    while (at_ < size && data[at_] != quote && data[at_] != escape) ++at_;
    if (at_ == size) continue;
    if (data[at_] == quote) {  // a doubled quote simply opens the string again
      ++at_;
      return;
    }
    if (!Ensure(2)) break;
    at_ += 2;
  }
  throw Error(ErrorKind::kCorrupt, "the SQL script ends inside a string or a quoted name");
}

void ScriptSplitter::SkipSpaceAndComments() {
  while (Ensure(1)) {
    if (IsSpace(buffer_[at_])) {
      ++at_;
    } else if (AtLineComment()) {
      PassLineComment();
    } else if (StartsWith("/*") && !StartsWith("/*!")) {
      PassBlockComment();
    } else if (StartsWith(delimiter_)) {
      at_ += delimiter_.size();  // an empty statement
    } else {
      break;
    }
    start_ = at_;
  }
  start_ = at_;
}

bool ScriptSplitter::TakeDelimiterCommand() {
  constexpr std::string_view kWord = "DELIMITER";
  if (!Ensure(kWord.size() + 1)) return false;
  for (size_t i = 0; i < kWord.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(buffer_[at_ + i])) != kWord[i]) return false;
  }
  if (buffer_[at_ + kWord.size()] != ' ' && buffer_[at_ + kWord.size()] != '\t') return false;
  const size_t length_before = at_ - start_;
  PassLineComment();
  const std::string_view argument = Trim(std::string_view(buffer_).substr(
      start_ + length_before + kWord.size(), at_ - start_ - length_before - kWord.size()));
  if (argument.empty()) {
    throw Error(ErrorKind::kCorrupt, "the SQL script has a DELIMITER command without a delimiter");
  }
  delimiter_ = argument;
  start_ = at_;
  return true;
}

std::string_view ScriptSplitter::Emit(size_t end) {
  CountLines();
  const std::string_view statement = Trim(std::string_view(buffer_).substr(start_, end - start_));
  start_ = at_;
  return statement;
}

std::optional<std::string_view> ScriptSplitter::Next() {
  static constexpr auto kSpecial = [] {
    std::array<bool, 256> special{};
    for (const char c : {'\'', '"', '`', '#', '-', '/'}) {
      special[static_cast<unsigned char>(c)] = true;
    }
    return special;
  }();

  do {
    SkipSpaceAndComments();
  } while (TakeDelimiterCommand());
  if (!Ensure(1)) return std::nullopt;

  while (Ensure(1)) {
    const char first_of_delimiter = delimiter_[0];
    while (at_ < buffer_.size() && buffer_[at_] != first_of_delimiter &&
           !kSpecial[static_cast<unsigned char>(buffer_[at_])]) {
      ++at_;
    }
    if (at_ == buffer_.size()) continue;
    const char c = buffer_[at_];
    if (c == first_of_delimiter && StartsWith(delimiter_)) {
      const size_t end = at_;
      at_ += delimiter_.size();
      return Emit(end);
    }
    if (c == '\'' || c == '"' || c == '`') {
      PassQuoted(c);
    } else if ((c == '#' || c == '-') && AtLineComment()) {
      PassLineComment();
    } else if (c == '/' && StartsWith("/*") && !StartsWith("/*!")) {
      PassBlockComment();
    } else {
      ++at_;
    }
  }
  return Emit(buffer_.size());
}

}  // namespace oxbackup::mysql
