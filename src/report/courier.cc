#include "report/courier.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "base/error.h"

namespace oxbackup {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The Pushgateway's own words; other services might repeat the address in theirs.
std::string ReasonOf(const HttpResponse& response) {
  constexpr std::string_view kPushgateway = "pushed metrics are invalid";
  constexpr size_t kMost = 300;
  std::string reason = fmt::format("it answered with status {}", response.status);
  if (response.body.starts_with(kPushgateway)) {
    reason += ": " + CutText(response.body.substr(0, response.body.find('\n')), kMost);
  }
  if (response.status >= 300 && response.status < 400) {
    reason += "; redirects are not followed: set the address that it leads to";
  }
  return reason;
}

bool MayPass(int status) { return status == 408 || status == 429 || status >= 500; }

Error Refusal(const Message& message, const std::string& reason) {
  return Error(ErrorKind::kStore,
               fmt::format("{} was not told of {}", message.to.Name(), message.about))
      .Cause(reason);
}

// One try. Throws Error.
void Send(HttpClient& client, const Message& message, milliseconds timeout,
          const std::stop_token& stop) {
  HttpRequest request{.method = "POST",
                      .url = message.url.ToString(),
                      .headers = {{"Content-Type", message.content_type}},
                      .body = message.body,
                      .timeout = timeout};
  if (!message.to.authorization.empty()) {
    request.headers.emplace_back("Authorization", message.to.authorization);
  }
  HttpResponse response;
  try {
    response = client.Perform(request, stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    Error failure = Refusal(message, error.cause());
    if (error.transient()) failure.Transient();
    throw failure;
  }
  if (response.ok()) return;
  Error failure = Refusal(message, ReasonOf(response));
  if (MayPass(response.status)) failure.Transient();
  throw failure;
}

}  // namespace

std::string Deliver(HttpClient& client, const Message& message, const CourierLimits& limits,
                    const std::stop_token& stop, Log& log) {
  const steady_clock::time_point end = steady_clock::now() + limits.all;
  Retrier retrier(limits.retry, MakeRetryWaiter(), log);
  std::string last_reason;
  try {
    retrier.Run("monitoring", stop, [&] {
      const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
      if (left <= milliseconds(0)) throw Refusal(message, last_reason);
      try {
        Send(client, message, std::min(left, limits.request), stop);
      } catch (const Error& error) {
        last_reason = error.cause();
        throw;
      }
    });
    return {};
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) {
      return fmt::format("{} was not told of {}: stopped on request", message.to.Name(),
                         message.about);
    }
    const std::string tried = error.tried().empty() ? "" : fmt::format(" ({})", error.tried());
    return fmt::format("{}: {}{}", error.what(), error.cause(), tried);
  } catch (const std::exception& error) {
    return fmt::format("{} was not told of {}: {}", message.to.Name(), message.about, error.what());
  }
}

std::vector<std::string> DeliverAll(HttpClient& client, const std::vector<Message>& messages,
                                    const CourierLimits& limits, const std::stop_token& stop,
                                    Log& log) {
  std::vector<std::string> failures(messages.size());
  std::vector<std::jthread> threads;
  for (size_t at = 0; at < messages.size(); ++at) {
    threads.emplace_back(
        [&, at] { failures[at] = Deliver(client, messages[at], limits, stop, log); });
  }
  for (std::jthread& thread : threads) thread.join();
  std::erase(failures, std::string());
  return failures;
}

}  // namespace oxbackup
