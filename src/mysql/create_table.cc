#include "mysql/create_table.h"

#include <optional>

#include "base/text.h"
#include "mysql/quote.h"
#include "mysql/sql_lexer.h"

namespace oxbackup::mysql {
namespace {

// The list between the outer parentheses, item by item, and the texts around it.
struct Definition {
  std::string_view head;  // up to and with "("
  std::vector<std::string_view> items;
  std::string_view tail;  // from ")" on
};

std::optional<Definition> ParseDefinition(std::string_view text) {
  SqlLexer lexer(text);
  Definition definition;
  size_t item_begin = 0;
  int depth = 0;
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (depth == 0 && (token.Is("SELECT") || token.Is("LIKE"))) return std::nullopt;
    if (token.IsSymbol('(')) {
      if (depth++ == 0) {
        definition.head = text.substr(0, token.end);
        item_begin = token.end;
      }
    } else if (token.IsSymbol(')')) {
      if (--depth == 0) {
        definition.items.push_back(text.substr(item_begin, token.begin - item_begin));
        definition.tail = text.substr(token.begin);
        return definition;
      }
    } else if (token.IsSymbol(',') && depth == 1) {
      definition.items.push_back(text.substr(item_begin, token.begin - item_begin));
      item_begin = token.end;
    }
  }
  return std::nullopt;
}

enum class ItemKind { kColumn, kPrimary, kUnique, kIndex, kSpecialIndex, kForeignKey, kOther };

struct Item {
  ItemKind kind = ItemKind::kOther;
  std::string_view text;
  std::string first_column;  // of an index; of a column: its name
  bool has_expression = false;
  bool auto_increment = false;
};

// Reads an index's list of columns: "(`a`,`b`(20) DESC,(lower(`c`)))".
void ReadIndexColumns(SqlLexer& lexer, SqlToken token, Item& item) {
  while (token.kind != SqlToken::Kind::kEnd && !token.IsSymbol('(')) token = lexer.Next();
  int depth = 1;
  bool at_column = true;
  for (token = lexer.Next(); token.kind != SqlToken::Kind::kEnd && depth > 0;
       token = lexer.Next()) {
    if (token.IsSymbol('(')) {
      if (at_column) item.has_expression = true;
      ++depth;
    } else if (token.IsSymbol(')')) {
      --depth;
    } else if (at_column && item.first_column.empty() && token.IsNameLike()) {
      item.first_column = token.Text();
    }
    at_column = depth == 1 && token.IsSymbol(',');
  }
}

Item ReadItem(std::string_view text) {
  Item item;
  item.text = text;
  SqlLexer lexer(text);
  SqlToken token = lexer.Next();
  if (token.kind == SqlToken::Kind::kName) {
    item.kind = ItemKind::kColumn;
    item.first_column = token.Text();
    for (; token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
      if (token.Is("AUTO_INCREMENT")) item.auto_increment = true;
    }
    return item;
  }
  if (token.Is("CONSTRAINT")) {
    token = lexer.Next();
    if (token.kind == SqlToken::Kind::kName) token = lexer.Next();
  }
  if (token.Is("FOREIGN")) {
    item.kind = ItemKind::kForeignKey;
    return item;
  }
  if (token.Is("PRIMARY")) item.kind = ItemKind::kPrimary;
  if (token.Is("UNIQUE")) item.kind = ItemKind::kUnique;
  if (token.Is("KEY") || token.Is("INDEX")) item.kind = ItemKind::kIndex;
  if (token.Is("FULLTEXT") || token.Is("SPATIAL")) item.kind = ItemKind::kSpecialIndex;
  if (item.kind != ItemKind::kOther) ReadIndexColumns(lexer, token, item);
  return item;
}

// The value of "NAME=value" among a table's options; the end of the text when it has none.
SqlToken OptionOf(std::string_view tail, std::string_view name) {
  SqlLexer lexer(tail);
  SqlToken token = lexer.Next();
  while (token.kind != SqlToken::Kind::kEnd && !token.Is(name)) token = lexer.Next();
  token = lexer.Next();
  return token.IsSymbol('=') ? lexer.Next() : token;
}

void AppendClause(std::string& list, std::string_view item) {
  if (!list.empty()) list += ", ";
  list += "ADD ";
  list += Trim(item);
}

}  // namespace

TableParts SplitIndexes(std::string_view create_table) {
  TableParts parts;
  const std::optional<Definition> definition = ParseDefinition(create_table);
  if (!definition || !OptionOf(definition->tail, "ENGINE").Is("INNODB")) {
    parts.create = parts.create_with_indexes = create_table;
    return parts;
  }
  std::vector<Item> items;
  bool has_primary = false;
  std::string auto_increment_column;
  for (const std::string_view text : definition->items) {
    items.push_back(ReadItem(text));
    if (items.back().kind == ItemKind::kPrimary) has_primary = true;
    if (items.back().auto_increment) auto_increment_column = items.back().first_column;
  }

  parts.create = parts.create_with_indexes = definition->head;
  std::string ordinary;
  const auto append = [&](std::string& create, std::string_view item) {
    if (create.size() > definition->head.size()) create += ',';
    create += item;
  };
  for (const Item& item : items) {
    const bool is_index = item.kind == ItemKind::kIndex || item.kind == ItemKind::kSpecialIndex ||
                          (item.kind == ItemKind::kUnique && has_primary);
    const bool needed = item.has_expression || (!auto_increment_column.empty() &&
                                                item.first_column == auto_increment_column);
    if (item.kind == ItemKind::kForeignKey) {
      AppendClause(parts.foreign_keys.emplace_back(), item.text);
      continue;
    }
    append(parts.create_with_indexes, item.text);
    if (!is_index || needed) {
      append(parts.create, item.text);
    } else if (item.kind == ItemKind::kSpecialIndex) {
      AppendClause(parts.index_alters.emplace_back(), item.text);
    } else {
      AppendClause(ordinary, item.text);
    }
  }
  parts.create += definition->tail;
  parts.create_with_indexes += definition->tail;
  if (!ordinary.empty()) parts.index_alters.insert(parts.index_alters.begin(), ordinary);
  return parts;
}

std::string ForFilling(std::string_view create_table) {
  std::string statement(create_table);
  const std::optional<Definition> definition = ParseDefinition(create_table);
  if (!definition || !OptionOf(definition->tail, "ENGINE").Is("ARCHIVE")) return statement;
  const SqlToken counter = OptionOf(definition->tail, "AUTO_INCREMENT");
  if (counter.kind != SqlToken::Kind::kWord) return statement;
  const size_t tail_begin = create_table.size() - definition->tail.size();
  return statement.replace(tail_begin + counter.begin, counter.end - counter.begin, "0");
}

std::set<std::string> TablespacesOf(std::string_view create_table) {
  std::set<std::string> names;
  const std::optional<Definition> definition = ParseDefinition(create_table);
  if (!definition) return names;
  SqlLexer lexer(definition->tail);
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (!token.Is("TABLESPACE")) continue;
    SqlToken name = lexer.Next();
    if (name.IsSymbol('=')) name = lexer.Next();
    if (name.IsNameLike() && !name.Text().starts_with("innodb_")) names.insert(name.Text());
  }
  return names;
}

bool RefersTo(
    std::string_view create_table, const std::string& database,
    const std::function<bool(const std::string& database, const std::string& table)>& is_meant) {
  SqlLexer lexer(create_table);
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (!token.Is("REFERENCES")) continue;
    const SqlToken first = lexer.Next();
    SqlLexer ahead = lexer;
    const bool qualified = ahead.Next().IsSymbol('.');
    if (qualified ? is_meant(first.Text(), ahead.Next().Text())
                  : is_meant(database, first.Text())) {
      return true;
    }
  }
  return false;
}

std::string RedirectReferences(
    std::string_view create_table,
    const std::function<std::string(const std::string& database)>& redirect) {
  std::string changed;
  size_t copied = 0;
  SqlLexer lexer(create_table);
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (!token.Is("REFERENCES")) continue;
    const SqlToken database = lexer.Next();
    if (!database.IsNameLike() || !lexer.Next().IsSymbol('.')) continue;
    changed += create_table.substr(copied, database.begin - copied);
    changed += QuoteName(redirect(database.Text()));
    copied = database.end;
  }
  changed += create_table.substr(copied);
  return changed;
}

}  // namespace oxbackup::mysql
