// site-generator: makes an Open edX-shaped site, changes it, destroys it, and tells by fingerprint
// whether two sites are equal. See testbed/README.md.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "commands.h"

namespace {

constexpr const char* kUsage =
    R"(usage: site-generator COMMAND [--flag value]…
  fill         --size 100M --seed 1 [--empty-tables 40]
               [--mysql-size 75M] [--mongodb-size 15M] [--media-size 10M]
  change       --percent 1: of the rows of courseware_studentmodule, in one place
  destroy      drops the site's databases, empties its folders
  fingerprint  [--mysql-database NAME]… [--mongodb-database NAME]…
all take: --mysql-host --mysql-port --mysql-user --mongodb-uri --caddy DIR --media DIR
(`change` the first three); what is not named is left out. Passwords: MYSQL_PASSWORD,
MONGODB_PASSWORD. The same size and seed make the same site.
)";

int Run(int argc, char** argv) {
  std::string_view command = argc > 1 ? argv[1] : "--help";
  if (command == "--help" || command == "-h" || command == "help") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (command == "fill") return sitegen::CommandFill(argc - 2, argv + 2);
  if (command == "change") return sitegen::CommandChange(argc - 2, argv + 2);
  if (command == "destroy") return sitegen::CommandDestroy(argc - 2, argv + 2);
  if (command == "fingerprint") return sitegen::CommandFingerprint(argc - 2, argv + 2);
  std::fputs(kUsage, stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "site-generator: error: {}\n", error.what());
    return 1;
  }
}
