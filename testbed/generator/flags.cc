#include "flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>

namespace sitegen {

const std::vector<std::string> kServerFlags = {"mysql-host", "mysql-port", "mysql-user",
                                               "mongodb-uri"};

Flags::Flags(int argc, char** argv, const std::vector<std::string>& known) {
  for (int i = 0; i < argc; i++) {
    std::string word = argv[i];
    if (!word.starts_with("--")) {
      throw std::runtime_error(fmt::format("'{}' is no flag; flags are --name value", word));
    }
    std::string name = word.substr(2);
    std::string value;
    if (size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (i + 1 < argc) {
      value = argv[++i];
    } else {
      throw std::runtime_error(fmt::format("--{} needs a value", name));
    }
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw std::runtime_error(
          fmt::format("there is no flag --{} here; flags: --{}", name, fmt::join(known, ", --")));
    }
    values_[name].push_back(value);
  }
}

std::string Flags::Get(const std::string& name, const std::string& fallback) const {
  auto found = values_.find(name);
  return found == values_.end() ? fallback : found->second.back();
}

std::vector<std::string> Flags::All(const std::string& name) const {
  auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

bool Flags::Has(const std::string& name) const { return values_.contains(name); }

uint64_t Flags::Number(const std::string& name, uint64_t fallback) const {
  if (!Has(name)) return fallback;
  std::string text = Get(name);
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::runtime_error(fmt::format("--{} '{}' is no whole number", name, text));
  }
  return number;
}

uint64_t Flags::Size(const std::string& name, uint64_t fallback) const {
  if (!Has(name)) return fallback;
  std::string text = Get(name);
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error == std::errc()) {
    if (unit.empty()) return number;
    if (unit == "K") return number << 10;
    if (unit == "M") return number << 20;
    if (unit == "G") return number << 30;
  }
  throw std::runtime_error(
      fmt::format("--{} '{}' is no size; say 500, 64K, 100M or 2G", name, text));
}

Servers ReadServers(const Flags& flags) {
  auto environment = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  Servers servers;
  servers.mysql_host = flags.Get("mysql-host");
  servers.mysql_port = static_cast<unsigned>(flags.Number("mysql-port", 3306));
  servers.mysql_user = flags.Get("mysql-user", "root");
  servers.mysql_password = environment("MYSQL_PASSWORD");
  servers.mongodb_uri = flags.Get("mongodb-uri");
  servers.mongodb_password = environment("MONGODB_PASSWORD");
  return servers;
}

std::vector<std::string> WithServerFlags(std::vector<std::string> more) {
  more.insert(more.begin(), kServerFlags.begin(), kServerFlags.end());
  return more;
}

}  // namespace sitegen
