#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>

#include "commands.h"
#include "fill.h"
#include "flags.h"
#include "model.h"

namespace sitegen {
namespace {

void Timed(const char* what, const std::function<void()>& work) {
  auto start = std::chrono::steady_clock::now();
  work();
  std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  fmt::print(stderr, "site-generator: {} filled in {:.1f} s\n", what, taken.count());
}

}  // namespace

int CommandFill(int argc, char** argv) {
  Flags flags(argc, argv,
              WithServerFlags({"size", "mysql-size", "mongodb-size", "media-size", "empty-tables",
                               "caddy", "media", "seed"}));
  Servers servers = ReadServers(flags);
  uint64_t size = flags.Size("size", 100 << 20);
  Model model = MakeModel(flags.Number("seed", 1), flags.Size("mysql-size", size / 100 * 75),
                          flags.Size("mongodb-size", size / 100 * 15),
                          flags.Size("media-size", size / 100 * 10),
                          static_cast<int64_t>(flags.Number("empty-tables", 40)));
  if (servers.mysql_host.empty() && servers.mongodb_uri.empty() && !flags.Has("caddy") &&
      !flags.Has("media")) {
    throw std::runtime_error(
        "nothing to fill: say --mysql-host, --mongodb-uri, --caddy or --media");
  }
  if (!servers.mysql_host.empty()) Timed("MySQL", [&] { FillMysql(servers, model); });
  if (!servers.mongodb_uri.empty()) Timed("MongoDB", [&] { FillMongodb(servers, model); });
  if (flags.Has("caddy")) Timed("Caddy", [&] { FillCaddy(flags.Get("caddy"), model); });
  if (flags.Has("media")) Timed("media", [&] { FillMedia(flags.Get("media"), model); });
  return 0;
}

}  // namespace sitegen
