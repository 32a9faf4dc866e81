#include "mysql/sql_lexer.h"

#include <algorithm>
#include <cctype>

namespace oxbackup::mysql {
namespace {

char Unescape(char letter) {
  switch (letter) {
    case '0':
      return '\0';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'Z':
      return '\x1a';
    default:
      return letter;
  }
}

}  // namespace

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0 || c == '_' || c == '$';
}

bool SqlToken::Is(std::string_view keyword) const {
  return kind == Kind::kWord && raw.size() == keyword.size() &&
         std::equal(raw.begin(), raw.end(), keyword.begin(), [](char a, char b) {
           return std::toupper(static_cast<unsigned char>(a)) == b;
         });
}

std::string SqlToken::Text() const {
  if (kind != Kind::kName && kind != Kind::kString) return std::string(raw);
  const char quote = raw.front();
  std::string text;
  for (size_t i = 1; i + 1 < raw.size(); ++i) {
    if (raw[i] == '\\' && kind == Kind::kString && i + 2 < raw.size()) {
      text += Unescape(raw[++i]);
    } else {
      if (raw[i] == quote) ++i;  // doubled
      text += quote == raw[i] ? quote : raw[i];
    }
  }
  return text;
}

void SqlLexer::SkipBlanks() {
  while (at_ < statement_.size()) {
    const std::string_view rest = statement_.substr(at_);
    if (std::isspace(static_cast<unsigned char>(rest[0])) != 0) {
      ++at_;
    } else if (rest.starts_with("/*!") || rest.starts_with("/*M!")) {
      at_ += rest[2] == '!' ? 3 : 4;
      while (at_ < statement_.size() &&
             std::isdigit(static_cast<unsigned char>(statement_[at_])) != 0) {
        ++at_;
      }
      in_versioned_ = true;
    } else if (in_versioned_ && rest.starts_with("*/")) {
      at_ += 2;
      in_versioned_ = false;
    } else if (rest.starts_with("/*")) {
      const size_t end = statement_.find("*/", at_ + 2);
      at_ = end == std::string_view::npos ? statement_.size() : end + 2;
    } else if (rest[0] == '#' ||
               (rest.starts_with("--") &&
                (rest.size() == 2 || static_cast<unsigned char>(rest[2]) <= ' '))) {
      const size_t end = statement_.find('\n', at_);
      at_ = end == std::string_view::npos ? statement_.size() : end + 1;
    } else {
      return;
    }
  }
}

SqlToken SqlLexer::Take(SqlToken::Kind kind, size_t length) {
  SqlToken token{kind, at_, at_ + length, statement_.substr(at_, length), in_versioned_};
  at_ += length;
  return token;
}

size_t SqlLexer::QuotedLength(char quote) const {
  size_t end = at_ + 1;
  while (end < statement_.size()) {
    if (statement_[end] == '\\' && quote != '`') {
      end += 2;
    } else if (statement_[end] != quote) {
      ++end;
    } else if (end + 1 < statement_.size() && statement_[end + 1] == quote) {
      end += 2;
    } else {
      return end + 1 - at_;
    }
  }
  return statement_.size() - at_;
}

SqlToken SqlLexer::Next() {
  SkipBlanks();
  if (at_ >= statement_.size()) return Take(SqlToken::Kind::kEnd, 0);
  const char c = statement_[at_];
  if (c == '`') return Take(SqlToken::Kind::kName, QuotedLength(c));
  if (c == '\'' || c == '"') return Take(SqlToken::Kind::kString, QuotedLength(c));
  if (!IsWordByte(c)) return Take(SqlToken::Kind::kSymbol, 1);
  size_t length = 1;
  while (at_ + length < statement_.size() && IsWordByte(statement_[at_ + length])) ++length;
  return Take(SqlToken::Kind::kWord, length);
}

}  // namespace oxbackup::mysql
