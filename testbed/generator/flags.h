// Command-line flags of the form --name value, and the settings that all subcommands share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sitegen {

/// The flags of one subcommand. Throws std::runtime_error on a flag that is not in `known`, on one
/// without a value and on words that are no flag.
class Flags {
 public:
  Flags(int argc, char** argv, const std::vector<std::string>& known);

  /// The last value given, or `fallback`.
  std::string Get(const std::string& name, const std::string& fallback = "") const;
  /// All values in the order given.
  std::vector<std::string> All(const std::string& name) const;
  bool Has(const std::string& name) const;
  /// A whole number; throws when it is none.
  uint64_t Number(const std::string& name, uint64_t fallback) const;
  /// Bytes, written as 500, 64K, 100M or 2G (powers of 1024); throws when it is something else.
  uint64_t Size(const std::string& name, uint64_t fallback) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

/// How to reach the two servers. An empty host or URI means that the part is left out.
struct Servers {
  std::string mysql_host;
  unsigned mysql_port = 3306;
  std::string mysql_user;
  std::string mysql_password;
  std::string mongodb_uri;
  std::string mongodb_password;
};

/// The names of the flags that ReadServers reads.
extern const std::vector<std::string> kServerFlags;

/// Reads the flags; passwords come from MYSQL_PASSWORD and MONGODB_PASSWORD.
Servers ReadServers(const Flags& flags);

/// `kServerFlags` and `more` in one list.
std::vector<std::string> WithServerFlags(std::vector<std::string> more);

}  // namespace sitegen
