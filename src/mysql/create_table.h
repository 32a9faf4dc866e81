// CREATE TABLE statements taken apart: what a table needs while it is filled, and what can wait.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace oxbackup::mysql {

/// A table's definition in the order in which it is carried out.
struct TableParts {
  std::string create;               ///< CREATE TABLE without what follows
  std::string create_with_indexes;  ///< CREATE TABLE without the foreign keys alone
  /// Secondary indexes, "ADD KEY …"; each entry is one ALTER TABLE's list, since InnoDB builds all
  /// ordinary indexes in one scan but only one FULLTEXT or SPATIAL index at a time.
  std::vector<std::string> index_alters;
  std::vector<std::string> foreign_keys;  ///< "ADD CONSTRAINT …", each for itself
};

/// Splits off what need not be there while rows come in. Kept in `create`: the primary key, all
/// unique keys when there is no primary key (the first of them orders the table), an index that
/// begins with the AUTO_INCREMENT column, indexes over expressions (adding one copies the table),
/// and everything of tables that are not InnoDB's.
/// A text that does not look like SHOW CREATE TABLE's comes back whole in `create`.
TableParts SplitIndexes(std::string_view create_table);

/// The statement by which a table can be filled: of the engine ARCHIVE without its AUTO_INCREMENT
/// counter, which comes back with the rows and refuses any below it (MySQL 9.7). All others as they
/// are.
std::string ForFilling(std::string_view create_table);

/// The general tablespaces that the table and its partitions lie in; without those that every
/// server has. Statements without parentheses may stand before it.
std::set<std::string> TablespacesOf(std::string_view create_table);

/// True when one of the statement's foreign keys refers to a table for which `is_meant` is true.
/// `database`: that of tables without one.
bool RefersTo(
    std::string_view create_table, const std::string& database,
    const std::function<bool(const std::string& database, const std::string& table)>& is_meant);

/// The statement with every qualified table in a REFERENCES clause moved to the database that
/// `redirect` names for it (its own name to leave it).
std::string RedirectReferences(
    std::string_view create_table,
    const std::function<std::string(const std::string& database)>& redirect);

}  // namespace oxbackup::mysql
