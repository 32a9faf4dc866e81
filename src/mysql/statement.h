// What a statement of a dump is about.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oxbackup::mysql {

enum class StatementKind {
  kUse,
  kCreateDatabase,
  kAlterDatabase,
  kCreateTable,
  kViewPlaceholder,  ///< mysqldump's stand-in table for a view that comes later
  kInsert,           ///< INSERT or REPLACE
  kSet,
  kSetGlobal,  ///< changes the server or the log: not for a restore
  kCreateView,
  kCreateTrigger,
  kCreateRoutine,
  kCreateEvent,
  kAccount,  ///< CREATE USER, GRANT, …
  kIgnored,  ///< DROP, LOCK TABLES, DISABLE KEYS, COMMIT: meaningless in a shadow schema
  kUnknown,
};

/// A statement's kind and the object that it names.
struct Statement {
  StatementKind kind = StatementKind::kUnknown;
  std::string database;   ///< as the statement qualifies the name; of kUse, kCreateDatabase: it
  std::string name;       ///< table, view, trigger, routine or event
  size_t name_begin = 0;  ///< where the (qualified) name stands in the text
  size_t name_end = 0;
};

/// Looks at the first tokens only, so it is cheap for long INSERTs.
Statement Classify(std::string_view text);

/// The statement with its (qualified) name replaced by `name` in SQL's quotes, e.g. "`shadow`.`t`".
std::string WithName(std::string_view text, const Statement& statement, std::string_view name);

/// True when the text may name an object of `database` by both names, quoted or not, in any case.
/// True once too often (in a string, a comment) rather than never.
bool Mentions(std::string_view text, std::string_view database);

}  // namespace oxbackup::mysql
