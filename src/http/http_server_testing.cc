#include "http/http_server_testing.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "base/text.h"

namespace oxbackup {
namespace {

// Appends what came next; false when the connection has ended.
bool ReadMore(int socket, std::string& buffer) {
  std::array<char, 64 << 10> piece;
  const ssize_t got = ::recv(socket, piece.data(), piece.size(), 0);
  if (got <= 0) return false;
  buffer.append(piece.data(), static_cast<size_t>(got));
  return true;
}

bool WriteAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The next line of `head`, which is taken off.
std::string_view TakeLine(std::string_view& head) {
  const size_t end = head.find("\r\n");
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(std::min(head.size(), line.size() + 2));
  return line;
}

// Request line and headers.
TestHttpRequest ParseHead(std::string_view head) {
  TestHttpRequest request;
  const std::string_view line = TakeLine(head);
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) {
    throw std::runtime_error("what came is no HTTP request");
  }
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  while (!head.empty()) {
    const std::string_view header = TakeLine(head);
    const size_t colon = header.find(':');
    if (colon == std::string_view::npos) continue;
    request.headers.emplace_back(LowerCase(header.substr(0, colon)),
                                 Trimmed(header.substr(colon + 1)));
  }
  return request;
}

std::string Head(const TestHttpRequest& request, const TestHttpResponse& response) {
  std::string head = fmt::format("HTTP/1.1 {} A test's answer\r\n", response.status);
  bool has_length = response.status == 204 || response.status == 304;
  for (const auto& [name, value] : response.headers) {
    has_length |= LowerCase(name) == "content-length";
    head += fmt::format("{}: {}\r\n", name, value);
  }
  if (!has_length) head += fmt::format("Content-Length: {}\r\n", response.body.size());
  if (LowerCase(request.Header("connection")) == "close") head += "Connection: close\r\n";
  return head + "\r\n";
}

// The next close of the socket sends a reset.
void ResetOnClose(int socket) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace

std::string TestHttpRequest::path() const { return target.substr(0, target.find('?')); }

std::string TestHttpRequest::query() const {
  const size_t mark = target.find('?');
  return mark == std::string::npos ? std::string() : target.substr(mark + 1);
}

std::string TestHttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

TestHttpServer::TestHttpServer(Handler handler)
    : handler_(std::move(handler)), listener_(ListenOnLoopback()) {
  acceptor_ = std::thread([this] { Accept(); });
}

TestHttpServer::~TestHttpServer() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    ::shutdown(listener_.socket.get(), SHUT_RDWR);
  }
  changed_.notify_all();
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
}

std::string TestHttpServer::url() const { return fmt::format("http://127.0.0.1:{}", port()); }

void TestHttpServer::ResetInBody(std::function<bool(const TestHttpRequest&)> when) {
  const std::lock_guard lock(mutex_);
  reset_in_body_ = std::move(when);
}

std::vector<TestHttpRequest> TestHttpServer::Requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void TestHttpServer::WaitUntilHeld() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return held_ > 0; });
}

void TestHttpServer::Release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_all();
}

void TestHttpServer::Hold() {
  std::unique_lock lock(mutex_);
  ++held_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return released_ || closing_; });
  --held_;
}

void TestHttpServer::Accept() {
  for (uint64_t connection = 1;; ++connection) {
    const int socket = ::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const std::lock_guard lock(mutex_);
    if (closing_) {
      ::close(socket);
      return;
    }
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket, connection] { Serve(socket, connection); });
  }
}

std::optional<TestHttpRequest> TestHttpServer::ReadRequest(int socket, std::string& buffer,
                                                           bool& reset) {
  size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore(socket, buffer)) return std::nullopt;
  }
  TestHttpRequest request = ParseHead(std::string_view(buffer).substr(0, end + 2));
  buffer.erase(0, end + 4);
  const std::string length = request.Header("content-length");
  const size_t size = length.empty() ? 0 : std::stoull(length);
  {
    const std::lock_guard lock(mutex_);
    reset = reset_in_body_ && reset_in_body_(request);
  }
  while (buffer.size() < (reset ? size / 2 : size)) {
    if (!ReadMore(socket, buffer)) return std::nullopt;
  }
  if (reset) return std::nullopt;
  request.body = buffer.substr(0, size);
  buffer.erase(0, size);
  return request;
}

TestHttpResponse TestHttpServer::Answer(const TestHttpRequest& request) {
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  try {
    return handler_(request);
  } catch (const std::exception& error) {
    return {.status = 500, .body = error.what()};
  }
}

void TestHttpServer::Serve(int socket, uint64_t connection) {
  std::string buffer;
  bool reset = false;
  while (auto request = ReadRequest(socket, buffer, reset)) {
    request->connection = connection;
    const TestHttpResponse response = Answer(*request);
    reset = response.fault == TestHttpFault::kReset;
    if (reset || response.fault == TestHttpFault::kClose) break;
    if (response.fault == TestHttpFault::kHold) Hold();
    std::string_view body = response.body;
    if (request->method == "HEAD") body = {};
    const bool cut = response.fault == TestHttpFault::kCutBody;
    if (cut) body = body.substr(0, body.size() / 2);
    if (!WriteAll(socket, Head(*request, response)) || !WriteAll(socket, body) || cut) break;
    if (LowerCase(request->Header("connection")) == "close") break;
  }
  if (reset) ResetOnClose(socket);
  // Under the lock, so that the destructor never shuts down another's socket of the same number.
  const std::lock_guard lock(mutex_);
  std::erase(sockets_, socket);
  ::close(socket);
}

}  // namespace oxbackup
