// Cuts a stream of SQL text into statements, as the mysql client would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stream/byte_stream.h"

namespace oxbackup::mysql {

/// Reads the statements of a script: mysqldump's, mydumper's, ours. Knows strings, quoted names,
/// the three kinds of comments, versioned comments (`/*!40101 … */`, which are part of a statement)
/// and the client's DELIMITER command. Comments before a statement are dropped, those inside it
/// stay, since they belong to the bodies of routines. Memory: one statement plus a read buffer. One
/// thread at a time.
class ScriptSplitter {
 public:
  /// A server takes no statement above this (the greatest max_allowed_packet), bytes.
  static constexpr size_t kMaxStatementBytes = size_t{1} << 30;
  static constexpr size_t kReadBytes = size_t{256} << 10;

  /// `source` must outlive the splitter. `read_bytes` > 0: how much is read at once.
  explicit ScriptSplitter(ByteSource& source, size_t read_bytes = kReadBytes)
      : source_(source), read_bytes_(read_bytes) {}

  /// The next statement without its delimiter and without white space around it; never empty.
  /// Valid until the next call. Nothing at the end. A last statement without a delimiter counts.
  /// Throws Error(kCorrupt) when the text ends inside a string or comment, or when a statement is
  /// longer than kMaxStatementBytes.
  [[nodiscard]] std::optional<std::string_view> Next();

  /// The line at which the statement that Next returned last begins, from 1 on.
  uint64_t line() const { return line_; }
  /// Bytes that the buffer holds at present.
  size_t buffer_bytes() const { return buffer_.capacity(); }
  /// False after the script has set sql_mode NO_BACKSLASH_ESCAPES: `\` is then an ordinary byte.
  void set_backslash_escapes(bool on) { backslash_escapes_ = on; }

 private:
  bool Ensure(size_t bytes);
  bool StartsWith(std::string_view text);
  void SkipSpaceAndComments();
  bool TakeDelimiterCommand();
  void PassQuoted(char quote);
  void PassLineComment();
  void PassBlockComment();
  bool AtLineComment();
  void CountLines();
  std::string_view Emit(size_t end);

  ByteSource& source_;
  const size_t read_bytes_;
  std::string buffer_;
  size_t start_ = 0;  // where the present statement begins
  size_t at_ = 0;     // how far the buffer has been scanned
  bool at_end_ = false;
  bool backslash_escapes_ = true;
  std::string delimiter_ = ";";
  uint64_t line_ = 1;
  size_t counted_ = 0;  // up to where line_ has counted the buffer's lines
};

}  // namespace oxbackup::mysql
