// How to reach a MySQL or MariaDB server.
#pragma once

#include <chrono>
#include <string>

namespace oxbackup::mysql {

enum class TlsMode {
  kDisabled,
  kPreferred,  ///< encrypted when the server offers it; its certificate is not checked
  kRequired,   ///< encrypted or not at all; the certificate is not checked
  kVerify,     ///< the certificate must come from a trusted authority and name the host
};

struct ConnectOptions {
  std::string host = "localhost";  ///< reached by TCP, also when it is "localhost"
  int port = 3306;
  std::string socket;  ///< path of a Unix socket; when set, host and port are not used
  std::string user = "root";
  std::string password;
  TlsMode tls = TlsMode::kPreferred;
  std::string tls_ca;  ///< file of trusted certificates; empty: the system's
  std::chrono::seconds connect_timeout{10};
};

/// For messages: "root@db:3306" or "root@/run/mysqld.sock". Without the password.
std::string Describe(const ConnectOptions& options);

}  // namespace oxbackup::mysql
