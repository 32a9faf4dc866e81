#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "commands.h"
#include "flags.h"
#include "mysql_client.h"

namespace sitegen {

// Rows that follow one another in the primary key, from two fifths on, so that the rows around them
// stay as they were. The moment is fixed: the same call gives the same content.
int CommandChange(int argc, char** argv) {
  Flags flags(argc, argv, WithServerFlags({"percent"}));
  if (!flags.Has("percent")) throw std::runtime_error("--percent is missing, such as --percent 1");
  uint64_t percent = flags.Number("percent", 1);
  if (percent < 1 || percent > 60) throw std::runtime_error("--percent must lie between 1 and 60");
  MysqlClient client(ReadServers(flags));
  client.Execute("USE `openedx`");
  auto range = client.Rows("SELECT MIN(`id`), MAX(`id`) FROM `courseware_studentmodule`")[0];
  int64_t least = std::stoll(range[0]), most = std::stoll(range[1]);
  int64_t first = least + (most - least) * 2 / 5;
  int64_t count = std::max<int64_t>(1, (most - least + 1) * static_cast<int64_t>(percent) / 100);
  client.Execute(
      fmt::format("UPDATE `courseware_studentmodule` SET `state` = CONCAT('{{\"changed\": ', `id`, "
                  "', \"before\": ', COALESCE(NULLIF(`state`, ''), 'null'), '}}'), `modified` = "
                  "'2026-01-01' WHERE `id` BETWEEN {} AND {}",
                  first, first + count - 1));
  fmt::print("changed the rows {} to {} of openedx.courseware_studentmodule\n", first,
             first + count - 1);
  return 0;
}

}  // namespace sitegen
