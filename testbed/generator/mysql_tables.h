// The large tables of an Open edX site: their definitions and how each row is made.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model.h"
#include "row_writer.h"

namespace sitegen {

/// One table. Rows are numbered from 0 and written in the order of the primary key.
struct Table {
  std::string name;
  /// The column definitions with the primary key, and nothing that slows the filling.
  std::string create;
  /// What one ALTER TABLE adds once the rows are there: secondary and foreign keys; may be empty.
  std::string finish;
  int64_t rows = 0;
  std::function<void(RowWriter&, int64_t row)> make;
};

/// Learners and their work, which is most of a site's bytes.
std::vector<Table> LearnerTables(const Model& model);
/// Courses, and the many smaller tables of other services, with empty ones among them.
std::vector<Table> CourseTables(const Model& model);

}  // namespace sitegen
