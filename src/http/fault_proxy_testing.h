// A proxy between a client and a real server that passes HTTP on byte for byte, so that signatures
// hold, and breaks what a test tells it to break.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/raw_connection_testing.h"

namespace oxbackup {

/// A request as the client sent it.
struct ProxiedRequest {
  std::string method;
  std::string target;    ///< "/bucket/key?partNumber=3&uploadId=…"
  std::string head;      ///< through the blank line
  size_t body_size = 0;  ///< bytes, as Content-Length says

  /// Whether the query has a parameter of that name ("uploadId"), or with that value
  /// ("partNumber=3").
  bool Has(std::string_view parameter) const;
};

/// Which requests a fault meets.
struct FaultRule {
  std::string method = {};                               ///< empty: any
  std::string parameter = {};                            ///< as for ProxiedRequest::Has; empty: any
  std::function<bool(const ProxiedRequest&)> when = {};  ///< must hold too, where it is set
  int skip = 0;                                          ///< so many go through before
  int times = 1;                                         ///< then so many are met; 0: all
};

/// What happens to a request. `after` counts bytes of a body.
class Fault {
 public:
  enum class Where {
    kBefore,      ///< nothing reaches the server
    kRequest,     ///< the request's head and `after` bytes of its body do
    kUnanswered,  ///< the server has done it, and nothing of its answer reaches the client
    kResponse,    ///< the answer's head and `after` bytes of its body do
  };

  /// The connection is closed there.
  static Fault Drop(Where where, size_t after = 0) { return {Kind::kDrop, where, after}; }
  /// The connection is reset there.
  static Fault Reset(Where where, size_t after = 0) { return {Kind::kReset, where, after}; }
  /// Nothing goes on from there until the client closes.
  static Fault Stall(Where where, size_t after = 0) { return {Kind::kStall, where, after}; }
  /// Byte `after` of the request's or the answer's body is another one (of a body that is shorter,
  /// the last byte).
  static Fault Flip(Where where, size_t after = 0) { return {Kind::kFlip, where, after}; }
  /// The answer's body ends at `after` bytes, and its head says so.
  static Fault Shorten(size_t after) { return {Kind::kShorten, Where::kResponse, after}; }
  /// kBefore: answered without the server; kUnanswered: the server has done it and another answer
  /// reaches the client. `body` is XML.
  static Fault Answer(Where where, int status, std::string body) {
    Fault fault(Kind::kAnswer, where, 0);
    fault.status_ = status;
    fault.body_ = std::move(body);
    return fault;
  }
  /// Goes on after that time.
  static Fault Delay(std::chrono::milliseconds time) {
    Fault fault(Kind::kDelay, Where::kBefore, 0);
    fault.time_ = time;
    return fault;
  }

 private:
  friend class FaultProxy;
  enum class Kind { kNone, kDrop, kReset, kStall, kFlip, kShorten, kAnswer, kDelay };
  Fault() = default;
  Fault(Kind kind, Where where, size_t after) : kind_(kind), where_(where), after_(after) {}

  bool Ends() const {
    return kind_ == Kind::kDrop || kind_ == Kind::kReset || kind_ == Kind::kStall;
  }
  bool Is(Kind kind, Where where) const { return kind_ == kind && where_ == where; }

  Kind kind_ = Kind::kNone;
  Where where_ = Where::kBefore;
  size_t after_ = 0;
  int status_ = 0;
  std::string body_;
  std::chrono::milliseconds time_{0};
};

/// The body of an error as S3 sends it.
std::string S3ErrorBody(std::string_view code);

/// Listens from construction to destruction, with a thread a connection. Thread-safe. The first
/// rule that a request meets decides.
class FaultProxy {
 public:
  /// `server`: "http://127.0.0.1:9000".
  explicit FaultProxy(const std::string& server, Loopback loopback = Loopback::kIpv4);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  /// "http://127.0.0.1:PORT", or "http://[::1]:PORT".
  std::string url() const;
  void Inject(FaultRule rule, Fault fault);
  /// Takes back all rules.
  void Heal();
  /// How many requests met a rule so far.
  int injected() const;
  /// All requests so far, in order.
  std::vector<ProxiedRequest> Requests() const;

 private:
  struct Rule {
    FaultRule rule;
    Fault fault;
    int seen = 0;
  };

  void Accept();
  void Serve(RawConnection& client);
  Fault Match(const ProxiedRequest& request);
  // These say whether the client's connection goes on.
  bool Handle(RawConnection& client, const ProxiedRequest& request, const Fault& fault);
  bool Forward(RawConnection& client, const ProxiedRequest& request, const Fault& fault);
  bool PassAnswer(RawConnection& client, RawConnection& server, const ProxiedRequest& request,
                  const Fault& fault);
  static bool End(RawConnection& client, const Fault& fault);
  static bool SendAnswer(RawConnection& client, const ProxiedRequest& request, const Fault& fault);
  void Wait(std::chrono::milliseconds time);
  std::shared_ptr<RawConnection> Connect();

  const Loopback loopback_;
  std::string server_address_;
  uint16_t server_port_ = 0;
  Listener listener_;
  mutable std::mutex mutex_;
  std::condition_variable closing_changed_;
  bool closing_ = false;                                   // guarded by mutex_
  int injected_ = 0;                                       // guarded by mutex_
  std::list<Rule> rules_;                                  // guarded by mutex_
  std::vector<ProxiedRequest> requests_;                   // guarded by mutex_
  std::vector<std::weak_ptr<RawConnection>> connections_;  // guarded by mutex_
  std::vector<std::thread> threads_;                       // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace oxbackup
