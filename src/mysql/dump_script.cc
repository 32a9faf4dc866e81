#include "mysql/dump_script.h"

#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "mysql/member_path.h"
#include "mysql/script_splitter.h"
#include "mysql/sql_lexer.h"

namespace oxbackup::mysql {
namespace {

// Whether `\` escapes in strings after a statement that may set the sql_mode: to a text, or back to
// one that was saved before any object changed it. `before`: whether it did until then.
bool EscapesAfter(std::string_view text, bool before) {
  SqlLexer lexer(text);
  static_cast<void>(lexer.Next());
  SqlToken token = lexer.Next();
  while (token.Is("SESSION") || token.IsSymbol('@')) token = lexer.Next();
  if (!token.Is("SQL_MODE")) return before;
  return text.find("NO_BACKSLASH_ESCAPES") == std::string_view::npos;
}

}  // namespace

void ForEachStatement(ByteSource& script, const std::function<void(std::string_view text)>& take) {
  ScriptSplitter splitter(script);
  bool escapes = true;
  while (const auto text = splitter.Next()) {
    WithContext([&] { return fmt::format("at line {} of {}", splitter.line(), kScriptPath); },
                [&] { take(*text); });
    if (Classify(*text).kind != StatementKind::kSet) continue;
    escapes = EscapesAfter(*text, escapes);
    splitter.set_backslash_escapes(escapes);
  }
}

bool IsPassedOver(const Statement& statement) {
  return statement.kind == StatementKind::kIgnored || statement.kind == StatementKind::kSetGlobal ||
         statement.kind == StatementKind::kAccount ||
         statement.kind == StatementKind::kAlterDatabase ||
         statement.kind == StatementKind::kViewPlaceholder;
}

void RefuseUnplaceable(const Statement& statement, std::string_view text, bool known_database) {
  if (statement.kind == StatementKind::kUnknown) {
    throw Error(ErrorKind::kUsage, "the dump has a statement that a restore cannot place")
        .Cause(std::string(text.substr(0, 80)))
        .Hint("load this dump by hand with the mysql client");
  }
  if (known_database) return;
  throw Error(ErrorKind::kUsage,
              "the dump does not say which database " + statement.name + " belongs to")
      .Hint("make the dump with --databases or --all-databases, or load it with the mysql client");
}

void RefuseSecondTable(const Statement& statement) {
  throw Error(ErrorKind::kUsage, fmt::format("the dump creates the table {}.{} a second time",
                                             statement.database, statement.name))
      .Hint(
          "it may be several dumps in one: restore from one of them, or load it with the mysql "
          "client");
}

}  // namespace oxbackup::mysql
