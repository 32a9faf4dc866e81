// The tokens of one SQL statement, as far as restoring has to understand statements.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oxbackup::mysql {

/// True for the bytes that names without quotes and keywords are made of.
bool IsWordByte(char c);

struct SqlToken {
  enum class Kind {
    kEnd,
    kWord,    ///< keyword, bare name or number
    kName,    ///< name in backticks
    kString,  ///< text in single or double quotes
    kSymbol,  ///< one other byte
  };

  Kind kind = Kind::kEnd;
  size_t begin = 0;  ///< offsets within the statement
  size_t end = 0;
  std::string_view raw;       ///< as it stands in the statement, with its quotes
  bool in_versioned = false;  ///< inside `/*!50001 … */`

  /// True for this keyword (given in upper case), in any case.
  bool Is(std::string_view keyword) const;
  bool IsSymbol(char symbol) const { return kind == Kind::kSymbol && raw[0] == symbol; }
  /// A bare or quoted name, or a string, without quotes and escapes.
  std::string Text() const;
  bool IsNameLike() const { return kind == Kind::kWord || kind == Kind::kName; }
};

/// Reads a statement's tokens one by one. Comments are passed over; the inside of versioned
/// comments counts as text. Never throws: an unfinished string or name ends with the statement.
/// Copies are cheap and independent, for looking ahead.
class SqlLexer {
 public:
  /// `statement` must outlive the lexer and its tokens.
  explicit SqlLexer(std::string_view statement) : statement_(statement) {}

  SqlToken Next();

 private:
  void SkipBlanks();
  SqlToken Take(SqlToken::Kind kind, size_t length);
  size_t QuotedLength(char quote) const;

  std::string_view statement_;
  size_t at_ = 0;
  bool in_versioned_ = false;
};

}  // namespace oxbackup::mysql
