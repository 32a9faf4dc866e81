// The statements that make a database's objects anew, as text for the stock client.
#pragma once

#include <array>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "mysql/catalog.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

struct ViewName {
  std::string database;
  std::string name;
};

/// Writes definitions. All texts begin with kPreamble, name objects without their database (the
/// default database decides where they go) and can be run again. One thread at a time; `session`
/// and `warnings` must outlive it. Errors of the server are thrown as Error(kSource) naming the
/// object.
class SchemaDump {
 public:
  SchemaDump(Session& session, Warnings& warnings) : session_(session), warnings_(warnings) {}

  /// CREATE DATABASE IF NOT EXISTS.
  std::string DatabaseText(const std::string& database);
  /// DROP TABLE IF EXISTS and CREATE TABLE; of a MariaDB sequence its present value too.
  std::string TableText(const Table& table);
  /// CREATE OR REPLACE VIEW. A view whose tables or rights are gone comes out as a comment, with a
  /// warning, since no server would create it.
  std::string ViewText(const ViewName& view);
  /// The triggers of one table, in the order in which they run.
  std::string TriggersText(const std::vector<NamedObject>& triggers);
  /// Routines, then events.
  std::string PostText(const Database& database);

  /// Whether the text of that view or routine, written before, does not create it.
  bool LeftOut(const NamedObject& object) const;

  /// The views of all databases such that each follows those it is made of.
  std::vector<ViewName> ViewOrder(const std::vector<Database>& databases);

 private:
  struct Definition;
  void Use(const std::string& database);
  Rows RawQuery(const std::string& sql);
  std::string RoutineText(const NamedObject& routine);
  std::string EventText(const NamedObject& event);
  std::string InItsContext(const std::string& database, const Definition& definition);

  Session& session_;
  Warnings& warnings_;
  std::set<std::array<std::string, 3>> left_out_;  // database, kind, name
};

/// True when `definition`, a view's text as SHOW CREATE VIEW gives it, may read the relation.
bool ViewMayUse(std::string_view definition, std::string_view relation);

}  // namespace oxbackup::mysql
