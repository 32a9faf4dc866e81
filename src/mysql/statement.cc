#include "mysql/statement.h"

#include <algorithm>
#include <cctype>

#include "mysql/sql_lexer.h"

namespace oxbackup::mysql {
namespace {

// Passes IF [NOT] EXISTS, then takes "name" or "database.name".
void TakeName(SqlLexer& lexer, Statement& statement) {
  SqlToken token = lexer.Next();
  while (token.Is("IF") || token.Is("NOT") || token.Is("EXISTS")) token = lexer.Next();
  if (!token.IsNameLike()) return;
  statement.name = token.Text();
  statement.name_begin = token.begin;
  statement.name_end = token.end;
  SqlLexer ahead = lexer;
  if (!ahead.Next().IsSymbol('.')) return;
  token = ahead.Next();
  if (!token.IsNameLike()) return;
  statement.database = std::move(statement.name);
  statement.name = token.Text();
  statement.name_end = token.end;
  lexer = ahead;
}

void TakeDatabaseName(SqlLexer& lexer, Statement& statement) {
  TakeName(lexer, statement);
  statement.database = std::move(statement.name);
  statement.name.clear();
}

Statement ClassifyCreate(SqlLexer& lexer, bool in_versioned) {
  Statement statement;
  // Between CREATE and the kind of object stand OR REPLACE, ALGORITHM=…, DEFINER=…, SQL SECURITY ….
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (token.Is("TABLE")) {
      statement.kind = in_versioned ? StatementKind::kViewPlaceholder : StatementKind::kCreateTable;
    } else if (token.Is("SEQUENCE")) {
      statement.kind = StatementKind::kCreateTable;
    } else if (token.Is("VIEW")) {
      statement.kind = StatementKind::kCreateView;
    } else if (token.Is("TRIGGER")) {
      statement.kind = StatementKind::kCreateTrigger;
    } else if (token.Is("PROCEDURE") || token.Is("FUNCTION") || token.Is("PACKAGE")) {
      statement.kind = StatementKind::kCreateRoutine;
    } else if (token.Is("EVENT")) {
      statement.kind = StatementKind::kCreateEvent;
    } else if (token.Is("DATABASE") || token.Is("SCHEMA")) {
      statement.kind = StatementKind::kCreateDatabase;
      TakeDatabaseName(lexer, statement);
      return statement;
    } else if (token.Is("USER") || token.Is("ROLE")) {
      statement.kind = StatementKind::kAccount;
      return statement;
    } else {
      continue;
    }
    TakeName(lexer, statement);
    return statement;
  }
  return statement;
}

Statement ClassifySet(SqlLexer lexer) {
  Statement statement;
  statement.kind = StatementKind::kSet;
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (token.Is("GLOBAL") || token.Is("PERSIST") || token.Is("PERSIST_ONLY") ||
        token.Is("GTID_PURGED") || token.Is("SQL_LOG_BIN") || token.Is("PASSWORD")) {
      statement.kind = StatementKind::kSetGlobal;
    }
  }
  return statement;
}

Statement ClassifyAlter(SqlLexer& lexer) {
  Statement statement;
  const SqlToken what = lexer.Next();
  if (what.Is("DATABASE") || what.Is("SCHEMA")) {
    statement.kind = StatementKind::kAlterDatabase;
    TakeDatabaseName(lexer, statement);
  } else if (what.Is("USER")) {
    statement.kind = StatementKind::kAccount;
  } else if (what.Is("TABLE")) {
    TakeName(lexer, statement);
    const SqlToken action = lexer.Next();
    const SqlToken object = lexer.Next();
    if ((action.Is("DISABLE") || action.Is("ENABLE")) && object.Is("KEYS")) {
      statement.kind = StatementKind::kIgnored;
    }
  }
  return statement;
}

std::string WithDoubled(std::string_view name, char quote) {
  std::string doubled;
  for (const char c : name) doubled.append(c == quote ? 2 : 1, c);
  return doubled;
}

// Whether `name` as a whole stands before a dot.
bool MentionsAs(std::string_view text, std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  for (auto at = text.begin();; ++at) {
    at = std::search(at, text.end(), name.begin(), name.end(), same);
    if (at == text.end()) return false;
    if (at != text.begin() && IsWordByte(*(at - 1))) continue;
    auto after = at + static_cast<std::ptrdiff_t>(name.size());
    if (after != text.end() && (*after == '`' || *after == '"')) ++after;
    // Between them may be blanks and comments.
    SqlLexer rest(text.substr(static_cast<size_t>(after - text.begin())));
    if (rest.Next().IsSymbol('.')) return true;
  }
}

}  // namespace

Statement Classify(std::string_view text) {
  SqlLexer lexer(text);
  const SqlToken first = lexer.Next();
  Statement statement;
  if (first.Is("INSERT") || first.Is("REPLACE")) {
    statement.kind = StatementKind::kInsert;
    SqlLexer ahead = lexer;
    for (SqlToken word = ahead.Next();
         word.Is("IGNORE") || word.Is("DELAYED") || word.Is("LOW_PRIORITY") || word.Is("INTO");
         word = ahead.Next()) {
      lexer = ahead;
    }
    TakeName(lexer, statement);
  } else if (first.Is("CREATE")) {
    statement = ClassifyCreate(lexer, first.in_versioned);
  } else if (first.Is("USE")) {
    statement.kind = StatementKind::kUse;
    TakeDatabaseName(lexer, statement);
  } else if (first.Is("SET")) {
    statement = ClassifySet(lexer);
  } else if (first.Is("ALTER")) {
    statement = ClassifyAlter(lexer);
  } else if (first.Is("GRANT") || first.Is("REVOKE")) {
    statement.kind = StatementKind::kAccount;
  } else if (first.Is("DROP") || first.Is("LOCK") || first.Is("UNLOCK") || first.Is("COMMIT") ||
             first.Is("BEGIN") || first.Is("START") || first.Is("FLUSH") ||
             first.kind == SqlToken::Kind::kEnd) {
    statement.kind = StatementKind::kIgnored;
  }
  return statement;
}

std::string WithName(std::string_view text, const Statement& statement, std::string_view name) {
  std::string changed(text.substr(0, statement.name_begin));
  changed += name;
  changed += text.substr(statement.name_end);
  return changed;
}

bool Mentions(std::string_view text, std::string_view database) {
  // Inside quotes a quote is doubled. The text is not read token by token: which quotes and
  // backslashes begin and end a string depends on the sql_mode that it was written under.
  return MentionsAs(text, database) || MentionsAs(text, WithDoubled(database, '`')) ||
         MentionsAs(text, WithDoubled(database, '"'));
}

}  // namespace oxbackup::mysql
