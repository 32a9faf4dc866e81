#include "http/raw_connection_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"

namespace oxbackup {
namespace {

FileDescriptor MakeSocket(int family) {
  FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throw SystemError(ErrorKind::kInternal, "no socket", errno);
  return socket;
}

sockaddr_in AddressOf(const std::string& text, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) {
    throw Error(ErrorKind::kInternal, text + " is no IPv4 address");
  }
  return address;
}

FileDescriptor ConnectTo(const std::string& text, uint16_t port) {
  FileDescriptor socket = MakeSocket(AF_INET);
  const sockaddr_in address = AddressOf(text, port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw SystemError(ErrorKind::kInternal, "cannot connect to " + text, errno);
  }
  return socket;
}

}  // namespace

RawConnection::RawConnection(FileDescriptor socket) : socket_(std::move(socket)) {
  const int one = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

RawConnection::RawConnection(const std::string& address, uint16_t port)
    : RawConnection(ConnectTo(address, port)) {}

int RawConnection::number() {
  const std::lock_guard lock(mutex_);
  return socket_.get();
}

bool RawConnection::Fill() {
  std::array<char, size_t{64} << 10> buffer;
  ssize_t got = 0;
  do {
    got = ::recv(number(), buffer.data(), buffer.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  ahead_.append(buffer.data(), static_cast<size_t>(got));
  return true;
}

std::optional<std::string> RawConnection::ReadHead() {
  size_t end = 0;
  while ((end = ahead_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return std::nullopt;
  }
  return Read(end + 4);
}

std::string RawConnection::ReadSome(size_t size) {
  if (ahead_.empty() && !Fill()) return {};
  std::string bytes = ahead_.substr(0, size);
  ahead_.erase(0, bytes.size());
  return bytes;
}

std::string RawConnection::Read(size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const std::string piece = ReadSome(size - bytes.size());
    if (piece.empty()) break;
    bytes += piece;
  }
  return bytes;
}

std::string RawConnection::ReadChunked() {
  std::string raw;
  while (true) {
    size_t end = 0;
    while ((end = ahead_.find("\r\n")) == std::string::npos) {
      if (!Fill()) return raw + ahead_;
    }
    const std::string line = Read(end + 2);
    const size_t size = std::strtoul(line.c_str(), nullptr, 16);
    raw += line;
    // Nobody sends trailers here: behind the last, empty chunk comes the blank line.
    raw += Read(size + 2);
    if (size == 0) return raw;
  }
}

bool RawConnection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawConnection::WaitClosed() {
  pollfd wanted{.fd = number(), .events = POLLRDHUP, .revents = 0};
  while (::poll(&wanted, 1, -1) < 0 && errno == EINTR) {
  }
}

void RawConnection::Shutdown() {
  const std::lock_guard lock(mutex_);
  if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
}

void RawConnection::Reset() {
  const std::lock_guard lock(mutex_);
  if (!socket_) return;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.Close();
}

std::optional<std::string> HeaderOf(std::string_view head, std::string_view name) {
  size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, at - begin);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || LowerCase(line.substr(0, colon)) != name) continue;
    const size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string_view::npos ? "" : std::string(line.substr(value));
  }
  return std::nullopt;
}

Listener ListenOnLoopback(Loopback loopback) {
  const bool ipv6 = loopback == Loopback::kIpv6;
  Listener listener{.socket = MakeSocket(ipv6 ? AF_INET6 : AF_INET)};
  sockaddr_in6 address6{};
  address6.sin6_family = AF_INET6;
  address6.sin6_addr = in6addr_loopback;
  sockaddr_in address4 = AddressOf("127.0.0.1", 0);
  socklen_t size = ipv6 ? sizeof address6 : sizeof address4;
  auto* const generic =
      ipv6 ? reinterpret_cast<sockaddr*>(&address6) : reinterpret_cast<sockaddr*>(&address4);
  if (::bind(listener.socket.get(), generic, size) != 0 ||
      ::listen(listener.socket.get(), 64) != 0 ||
      ::getsockname(listener.socket.get(), generic, &size) != 0) {
    throw SystemError(ErrorKind::kInternal, "cannot listen on the loopback", errno);
  }
  listener.port = ntohs(ipv6 ? address6.sin6_port : address4.sin_port);
  return listener;
}

}  // namespace oxbackup
