#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

#include "commands.h"
#include "fingerprint.h"
#include "flags.h"

namespace sitegen {

int CommandFingerprint(int argc, char** argv) {
  Flags flags(argc, argv,
              WithServerFlags({"mysql-database", "mongodb-database", "caddy", "media"}));
  Servers servers = ReadServers(flags);
  std::vector<std::string> lines;
  auto add = [&lines](std::vector<std::string> more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  if (!servers.mysql_host.empty()) add(FingerprintMysql(servers, flags.All("mysql-database")));
  if (!servers.mongodb_uri.empty()) add(FingerprintMongodb(servers, flags.All("mongodb-database")));
  if (flags.Has("caddy")) add(FingerprintFiles("caddy", flags.Get("caddy")));
  if (flags.Has("media")) add(FingerprintFiles("media", flags.Get("media")));
  if (lines.empty()) {
    throw std::runtime_error(
        "nothing to look at: say --mysql-host, --mongodb-uri, --caddy or --media, or the site is "
        "empty");
  }
  for (const std::string& line : lines) fmt::print("{}\n", line);
  if (std::fflush(stdout) != 0) throw std::runtime_error("cannot write the fingerprint");
  return 0;
}

}  // namespace sitegen
