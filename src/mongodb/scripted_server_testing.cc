#include "mongodb/scripted_server_testing.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "mongodb/extended_json.h"

namespace oxbackup::mongodb {
namespace {

constexpr int32_t kOpReply = 1;
constexpr int32_t kOpQuery = 2004;
constexpr int32_t kOpMsg = 2013;
constexpr uint32_t kMoreToCome = 2;
constexpr size_t kHeaderSize = 16;

bool ReadExactly(int socket, char* buffer, size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(socket, buffer, size, 0);
    if (got <= 0) return false;
    buffer += got;
    size -= static_cast<size_t>(got);
  }
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

void AppendInt32(std::string& bytes, int32_t value) {
  std::array<char, 4> buffer;
  std::memcpy(buffer.data(), &value, 4);
  bytes.append(buffer.data(), 4);
}

int32_t ReadInt32(std::string_view bytes, size_t at) {
  int32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

struct Message {
  int32_t request_id = 0;
  int32_t op_code = 0;
  std::string body;
};

std::optional<Message> ReadMessage(int socket) {
  std::array<char, kHeaderSize> header;
  if (!ReadExactly(socket, header.data(), header.size())) return std::nullopt;
  const std::string_view view(header.data(), header.size());
  const int32_t size = ReadInt32(view, 0);
  if (size < static_cast<int32_t>(kHeaderSize)) return std::nullopt;
  Message message{ReadInt32(view, 4), ReadInt32(view, 12), {}};
  message.body.resize(static_cast<size_t>(size) - kHeaderSize);
  if (!ReadExactly(socket, message.body.data(), message.body.size())) return std::nullopt;
  return message;
}

std::string_view DocumentAt(std::string_view bytes, size_t at) {
  return bytes.substr(at, static_cast<size_t>(ReadInt32(bytes, at)));
}

// Sections of OP_MSG: one document, and sequences of documents that belong into it as arrays.
std::string ReadMsgBody(std::string_view body) {
  std::string_view main;
  std::vector<std::pair<std::string, std::vector<std::string>>> sequences;
  size_t at = 4;
  while (at < body.size()) {
    const char kind = body[at++];
    if (kind == 0) {
      main = DocumentAt(body, at);
      at += main.size();
      continue;
    }
    const size_t end = at + static_cast<size_t>(ReadInt32(body, at));
    at += 4;
    const std::string name(body.data() + at);
    at += name.size() + 1;
    std::vector<std::string> documents;
    for (; at < end; at += documents.back().size()) documents.emplace_back(DocumentAt(body, at));
    sequences.emplace_back(name, std::move(documents));
  }
  if (sequences.empty()) return std::string(main);
  Bson whole(main);
  for (const auto& [name, documents] : sequences) {
    whole.AddArray(name, ArrayOf(documents));
  }
  return std::string(whole.bytes());
}

ScriptedCommand ReadCommand(const Message& message, uint64_t connection) {
  ScriptedCommand command;
  command.connection = connection;
  if (message.op_code == kOpMsg) {
    command.body = ReadMsgBody(message.body);
    command.db = command.Text({"$db"});
  } else {
    const std::string ns(message.body.data() + 4);
    command.db = ns.substr(0, ns.find('.'));
    command.body = DocumentAt(message.body, 4 + ns.size() + 1 + 8);
  }
  command.name = FieldWalker(command.body).Next().value().key;
  return command;
}

std::string WrapReply(const Message& request, std::string_view document) {
  std::string body;
  if (request.op_code == kOpMsg) {
    AppendInt32(body, 0);
    body.push_back('\0');
  } else {
    AppendInt32(body, 8);  // AwaitCapable, as every server since 2.6 says
    body.append(8, '\0');  // no cursor
    AppendInt32(body, 0);
    AppendInt32(body, 1);
  }
  body += document;
  std::string message;
  AppendInt32(message, static_cast<int32_t>(body.size() + kHeaderSize));
  AppendInt32(message, 0);
  AppendInt32(message, request.request_id);
  AppendInt32(message, request.op_code == kOpMsg ? kOpMsg : kOpReply);
  return message + body;
}

bool IsHandshake(const std::string& name) {
  return name == "hello" || name == "isMaster" || name == "ismaster";
}

}  // namespace

Bson ArrayOf(const std::vector<std::string>& documents) {
  Bson array;
  for (size_t at = 0; at < documents.size(); ++at) {
    array.AddValue(std::to_string(at), BsonType::kDocument, documents[at]);
  }
  return array;
}

std::string ScriptedCommand::target() const { return Text({name}); }

std::string ScriptedCommand::Text(std::initializer_list<std::string_view> path) const {
  const auto field = FindPath(body, path);
  return field ? std::string(field->AsText().value_or("")) : std::string();
}

Bson OkReply(std::string_view json) { return FromJson(json, "a test's reply").Add("ok", 1.0); }

Bson ErrorReply(int32_t code, std::string_view code_name, std::string_view message) {
  return Bson().Add("ok", 0.0).Add("errmsg", message).Add("code", code).Add("codeName", code_name);
}

ScriptedServer::ScriptedServer() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener_ < 0 ||
      ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the scripted server cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    ::shutdown(listener_, SHUT_RDWR);
  }
  changed_.notify_all();
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
}

std::string ScriptedServer::uri() const { return fmt::format("mongodb://127.0.0.1:{}/", port_); }

void ScriptedServer::SetMaxWireVersion(int32_t version) {
  const std::lock_guard lock(mutex_);
  wire_version_ = version;
}

void ScriptedServer::Handle(std::string name, CommandHandler handler) {
  const std::lock_guard lock(mutex_);
  handlers_.emplace_front(std::move(name), std::move(handler));
}

void ScriptedServer::Fail(Fault fault, int32_t code, std::string message) {
  const std::lock_guard lock(mutex_);
  rules_.push_back(
      {std::move(fault), Action::kFail, ErrorReply(code, fmt::format("Code{}", code), message)});
}

void ScriptedServer::Drop(Fault fault, bool after_applying) {
  const std::lock_guard lock(mutex_);
  rules_.push_back(
      {std::move(fault), after_applying ? Action::kDropAfter : Action::kDropBefore, {}});
}

void ScriptedServer::Hold(Fault fault) {
  const std::lock_guard lock(mutex_);
  released_ = false;
  rules_.push_back({std::move(fault), Action::kHold, {}});
}

void ScriptedServer::WaitUntilHeld() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return held_ > 0; });
}

void ScriptedServer::Release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_all();
}

std::vector<ScriptedCommand> ScriptedServer::Commands(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  std::vector<ScriptedCommand> found;
  for (const ScriptedCommand& command : commands_) {
    if (name.empty() || command.name == name) found.push_back(command);
  }
  return found;
}

void ScriptedServer::ForgetCommands() {
  const std::lock_guard lock(mutex_);
  commands_.clear();
}

void ScriptedServer::Accept() {
  for (uint64_t connection = 1;; ++connection) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    if (closing_) return;
    threads_.emplace_back([this, socket, connection] { Serve(socket, connection); });
  }
}

void ScriptedServer::Serve(int socket, uint64_t connection) {
  while (const auto message = ReadMessage(socket)) {
    const ScriptedCommand command = ReadCommand(*message, connection);
    const auto reply = Answer(command);
    if (!reply) break;
    const bool no_reply = message->op_code == kOpMsg &&
                          (static_cast<uint32_t>(ReadInt32(message->body, 0)) & kMoreToCome) != 0;
    if (!no_reply && !WriteAll(socket, WrapReply(*message, reply->bytes()))) break;
  }
  // Closed with the server: the number must not be given to another connection meanwhile.
  ::shutdown(socket, SHUT_RDWR);
}

ScriptedServer::Action ScriptedServer::MatchFault(const ScriptedCommand& command, Bson* reply) {
  for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
    if (rule->fault.command != command.name) continue;
    if (rule->fault.when && !rule->fault.when(command)) continue;
    if (rule->seen++ < rule->fault.skip) continue;
    *reply = rule->reply;
    const Action action = rule->action;
    if (rule->fault.times > 0 && rule->seen >= rule->fault.skip + rule->fault.times) {
      rules_.erase(rule);
    }
    return action;
  }
  return Action::kNone;
}

std::optional<Bson> ScriptedServer::Answer(const ScriptedCommand& command) {
  std::vector<CommandHandler> handlers;
  Action action = Action::kNone;
  {
    std::unique_lock lock(mutex_);
    if (!IsHandshake(command.name)) commands_.push_back(command);
    Bson reply;
    action = MatchFault(command, &reply);
    if (action == Action::kFail) return reply;
    if (action == Action::kDropBefore) return std::nullopt;
    if (action == Action::kHold) {
      ++held_;
      changed_.notify_all();
      changed_.wait(lock, [&] { return released_ || closing_; });
      --held_;
    }
    for (const auto& [name, handler] : handlers_) {
      if (name.empty() || name == command.name) handlers.push_back(handler);
    }
  }
  std::optional<Bson> reply;
  {
    const std::lock_guard one_at_a_time(handling_);
    for (const CommandHandler& handler : handlers) {
      reply = handler(command);
      if (reply) break;
    }
  }
  if (action == Action::kDropAfter) return std::nullopt;
  return reply ? reply : BuiltIn(command);
}

Bson ScriptedServer::BuiltIn(const ScriptedCommand& command) const {
  if (IsHandshake(command.name)) {
    const std::lock_guard lock(mutex_);
    return OkReply(fmt::format(
        R"({{"ismaster": true, "isWritablePrimary": true, "maxBsonObjectSize": 16777216,
             "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000, "readOnly": false,
             "logicalSessionTimeoutMinutes": 30, "minWireVersion": 0, "maxWireVersion": {}}})",
        wire_version_));
  }
  if (command.name == "ping" || command.name == "endSessions") return OkReply();
  return ErrorReply(59, "CommandNotFound", fmt::format("no such command: '{}'", command.name));
}

}  // namespace oxbackup::mongodb
