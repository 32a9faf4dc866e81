// A small HTTP/1.1 server on a loopback port that answers what a test's function says, and fails
// as it says.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/http_client.h"
#include "http/raw_connection_testing.h"

namespace oxbackup {

/// A request as it came.
struct TestHttpRequest {
  std::string method;
  std::string target;   ///< path and query, still encoded
  HttpHeaders headers;  ///< names in lower case
  std::string body;
  uint64_t connection = 0;  ///< numbered from 1

  /// The target up to '?', and what follows that.
  std::string path() const;
  std::string query() const;
  /// The first header of that name (lower case); empty when there is none.
  std::string Header(std::string_view name) const;
};

/// What becomes of a request.
enum class TestHttpFault {
  kNone,
  kClose,    ///< the connection ends in good order, without an answer
  kReset,    ///< the connection is reset, without an answer
  kCutBody,  ///< the head and the first half of the body, then the connection ends
  kHold,     ///< no answer before Release()
};

struct TestHttpResponse {
  int status = 200;
  /// Content-Length is the body's unless it is here, as the answer to HEAD needs it.
  HttpHeaders headers = {};
  std::string body = {};
  TestHttpFault fault = TestHttpFault::kNone;
};

/// Answers requests from construction to destruction, with a thread a connection and connections
/// that are kept. Bodies of requests come with a Content-Length. All methods are thread-safe.
class TestHttpServer {
 public:
  /// Runs on the connections' threads, at the same time on several; what it refers to has to
  /// outlive the server. What it throws becomes the body of an answer of status 500.
  using Handler = std::function<TestHttpResponse(const TestHttpRequest&)>;

  explicit TestHttpServer(Handler handler);
  ~TestHttpServer();
  TestHttpServer(const TestHttpServer&) = delete;
  TestHttpServer& operator=(const TestHttpServer&) = delete;

  uint16_t port() const { return listener_.port; }
  /// "http://127.0.0.1:PORT".
  std::string url() const;

  /// Connections are reset once half of the body has come of each request for which `when` holds
  /// (it sees the request without its body). Such a request is neither recorded nor handled.
  void ResetInBody(std::function<bool(const TestHttpRequest&)> when);

  /// Every request so far, in the order in which they were complete.
  std::vector<TestHttpRequest> Requests() const;

  /// Returns once an answer is held back (TestHttpFault::kHold).
  void WaitUntilHeld();
  /// Sends all answers that are held back, and lets later ones pass.
  void Release();

 private:
  void Accept();
  void Serve(int socket, uint64_t connection);
  // Head and body; nothing when the connection ended or is to be reset.
  std::optional<TestHttpRequest> ReadRequest(int socket, std::string& buffer, bool& reset);
  TestHttpResponse Answer(const TestHttpRequest& request);
  void Hold();

  const Handler handler_;
  const Listener listener_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::function<bool(const TestHttpRequest&)> reset_in_body_;  // guarded by mutex_
  std::vector<TestHttpRequest> requests_;                      // guarded by mutex_
  std::vector<int> sockets_;                                   // guarded by mutex_
  std::vector<std::thread> threads_;                           // guarded by mutex_
  int held_ = 0;                                               // guarded by mutex_
  bool released_ = false;                                      // guarded by mutex_
  bool closing_ = false;                                       // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace oxbackup
