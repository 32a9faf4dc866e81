#include "http/fault_proxy_testing.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "http/url.h"

namespace oxbackup {
namespace {

constexpr size_t kPiece = size_t{64} << 10;

size_t ContentLength(std::string_view head) {
  return std::strtoul(HeaderOf(head, "content-length").value_or("0").c_str(), nullptr, 10);
}

ProxiedRequest ParseRequest(std::string head) {
  ProxiedRequest request;
  const size_t method_end = head.find(' ');
  const size_t target_end = head.find(' ', method_end + 1);
  request.method = head.substr(0, method_end);
  request.target = head.substr(method_end + 1, target_end - method_end - 1);
  request.body_size = ContentLength(head);
  request.head = std::move(head);
  return request;
}

void FlipBit(std::string& bytes, size_t at) {
  if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ 1);
}

// Replaces the head's Content-Length.
std::string WithLength(const std::string& head, size_t length) {
  std::string changed = head.substr(0, head.find("\r\n") + 2);
  for (const std::string& line : SplitNonEmpty(head.substr(changed.size()), "\r\n")) {
    if (!LowerCase(line).starts_with("content-length:")) changed += line + "\r\n";
  }
  return changed + fmt::format("Content-Length: {}\r\n\r\n", length);
}

bool HasBody(const ProxiedRequest& request, std::string_view head) {
  const std::string_view status = head.substr(head.find(' ') + 1, 3);
  return request.method != "HEAD" && status != "204" && status != "304";
}

bool IsChunked(std::string_view head) {
  return LowerCase(HeaderOf(head, "transfer-encoding").value_or("")) == "chunked";
}

}  // namespace

bool ProxiedRequest::Has(std::string_view parameter) const {
  const size_t mark = target.find('?');
  if (mark == std::string::npos) return false;
  return std::ranges::any_of(SplitNonEmpty(target.substr(mark + 1), "&"), [&](const auto& pair) {
    return pair == parameter || pair.substr(0, pair.find('=')) == parameter;
  });
}

std::string S3ErrorBody(std::string_view code) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>a fault of the "
      "test</Message><RequestId>0</RequestId></Error>",
      code);
}

FaultProxy::FaultProxy(const std::string& server, Loopback loopback)
    : loopback_(loopback), listener_(ListenOnLoopback(loopback)) {
  const Url url = ParseUrl(server);
  server_address_ = url.host;
  server_port_ = static_cast<uint16_t>(std::stoi(url.port));
  acceptor_ = std::thread([this] { Accept(); });
}

FaultProxy::~FaultProxy() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (const auto& open : connections_) {
      if (const auto connection = open.lock()) connection->Shutdown();
    }
    ::shutdown(listener_.socket.get(), SHUT_RDWR);
  }
  closing_changed_.notify_all();
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
}

std::string FaultProxy::url() const {
  return fmt::format("http://{}:{}", loopback_ == Loopback::kIpv6 ? "[::1]" : "127.0.0.1",
                     listener_.port);
}

void FaultProxy::Inject(FaultRule rule, Fault fault) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({std::move(rule), std::move(fault)});
}

void FaultProxy::Heal() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
}

int FaultProxy::injected() const {
  const std::lock_guard lock(mutex_);
  return injected_;
}

std::vector<ProxiedRequest> FaultProxy::Requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FaultProxy::Accept() {
  while (true) {
    FileDescriptor socket(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::lock_guard lock(mutex_);
    if (!socket || closing_) return;
    const auto client = std::make_shared<RawConnection>(std::move(socket));
    connections_.push_back(client);
    threads_.emplace_back([this, client] { Serve(*client); });
  }
}

void FaultProxy::Serve(RawConnection& client) {
  while (auto head = client.ReadHead()) {
    const ProxiedRequest request = ParseRequest(std::move(*head));
    if (!Handle(client, request, Match(request))) break;
  }
  client.Shutdown();
}

Fault FaultProxy::Match(const ProxiedRequest& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  for (Rule& entry : rules_) {
    const FaultRule& rule = entry.rule;
    if (!rule.method.empty() && rule.method != request.method) continue;
    if (!rule.parameter.empty() && !request.Has(rule.parameter)) continue;
    if (rule.when && !rule.when(request)) continue;
    const int seen = entry.seen++;
    if (seen < rule.skip || (rule.times > 0 && seen >= rule.skip + rule.times)) continue;
    ++injected_;
    return entry.fault;
  }
  return {};
}

bool FaultProxy::Handle(RawConnection& client, const ProxiedRequest& request, const Fault& fault) {
  if (fault.where_ == Fault::Where::kBefore) {
    if (fault.Ends()) return End(client, fault);
    if (fault.kind_ == Fault::Kind::kDelay) Wait(fault.time_);
    if (fault.kind_ == Fault::Kind::kAnswer) {
      client.Read(request.body_size);
      return SendAnswer(client, request, fault);
    }
  }
  try {
    return Forward(client, request, fault);
  } catch (const Error&) {
    // The server is not there: the client learns that by its connection.
    return false;
  }
}

bool FaultProxy::Forward(RawConnection& client, const ProxiedRequest& request, const Fault& fault) {
  const std::shared_ptr<RawConnection> server = Connect();
  const bool ends = fault.Ends() && fault.where_ == Fault::Where::kRequest;
  const size_t size = ends ? std::min(fault.after_, request.body_size) : request.body_size;
  const size_t flipped = std::min(fault.after_, std::max<size_t>(size, 1) - 1);
  // A server that answers before it has read all may close: its answer is what counts then.
  bool taken = server->Write(request.head);
  for (size_t passed = 0; passed < size;) {
    std::string piece = client.ReadSome(std::min(kPiece, size - passed));
    if (piece.empty()) return false;
    if (fault.Is(Fault::Kind::kFlip, Fault::Where::kRequest) && flipped >= passed) {
      FlipBit(piece, flipped - passed);
    }
    passed += piece.size();
    taken = taken && server->Write(piece);
  }
  if (!ends) return PassAnswer(client, *server, request, fault);
  if (fault.kind_ != Fault::Kind::kStall) server->Reset();
  return End(client, fault);
}

bool FaultProxy::PassAnswer(RawConnection& client, RawConnection& server,
                            const ProxiedRequest& request, const Fault& fault) {
  std::optional<std::string> head = server.ReadHead();
  if (!head) return false;
  std::string body;
  if (HasBody(request, *head)) {
    body = IsChunked(*head) ? server.ReadChunked() : server.Read(ContentLength(*head));
  }
  if (fault.where_ == Fault::Where::kUnanswered) {
    if (fault.Ends()) return End(client, fault);
    return SendAnswer(client, request, fault);
  }
  if (fault.where_ == Fault::Where::kResponse) {
    if (fault.kind_ == Fault::Kind::kFlip && !body.empty()) {
      FlipBit(body, std::min(fault.after_, body.size() - 1));
    }
    if (fault.kind_ == Fault::Kind::kShorten && fault.after_ < body.size()) {
      body.resize(fault.after_);
      head = WithLength(*head, body.size());
    }
    if (fault.Ends()) {
      client.Write(*head + body.substr(0, fault.after_));
      return End(client, fault);
    }
  }
  return client.Write(*head + body) &&
         LowerCase(HeaderOf(*head, "connection").value_or("")) != "close";
}

bool FaultProxy::End(RawConnection& client, const Fault& fault) {
  if (fault.kind_ == Fault::Kind::kStall) client.WaitClosed();
  if (fault.kind_ == Fault::Kind::kReset) client.Reset();
  return false;
}

bool FaultProxy::SendAnswer(RawConnection& client, const ProxiedRequest& request,
                            const Fault& fault) {
  const std::string body = request.method == "HEAD" ? "" : fault.body_;
  return client.Write(fmt::format(
      "HTTP/1.1 {} Fault\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\r\n{}",
      fault.status_, body.size(), body));
}

void FaultProxy::Wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  closing_changed_.wait_for(lock, time, [this] { return closing_; });
}

std::shared_ptr<RawConnection> FaultProxy::Connect() {
  auto server = std::make_shared<RawConnection>(server_address_, server_port_);
  const std::lock_guard lock(mutex_);
  connections_.push_back(server);
  if (closing_) server->Shutdown();
  return server;
}

}  // namespace oxbackup
