#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "commands.h"
#include "fill.h"
#include "flags.h"
#include "mongodb_client.h"
#include "mysql_client.h"
#include "mysql_zoo.h"

namespace sitegen {
namespace {

// The folder itself may be a mount point: it stays.
void Empty(const std::string& folder) {
  if (folder.empty()) return;
  std::vector<std::filesystem::path> children;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    children.push_back(entry.path());
  for (const auto& child : children) std::filesystem::remove_all(child);
}

}  // namespace

int CommandDestroy(int argc, char** argv) {
  Flags flags(argc, argv, WithServerFlags({"caddy", "media"}));
  Servers servers = ReadServers(flags);
  if (!servers.mysql_host.empty()) {
    MysqlClient client(servers);
    for (const std::string& name : {std::string(kOpenedx), std::string(kNotes), kOddDatabase}) {
      client.Execute("DROP DATABASE IF EXISTS " + QuoteName(name));
    }
  }
  if (!servers.mongodb_uri.empty()) {
    MongodbClient client(servers);
    client.Drop(kOpenedx);
    client.Drop(kForum);
  }
  Empty(flags.Get("caddy"));
  Empty(flags.Get("media"));
  return 0;
}

}  // namespace sitegen
