// Brings messages to services, in a time that is bounded whatever they do.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "base/log.h"
#include "http/http_client.h"
#include "http/retrier.h"
#include "report/messages.h"

namespace oxbackup {

struct CourierLimits {
  std::chrono::milliseconds request{4'000};
  /// With all repetitions, as long as none of their requests is under way.
  std::chrono::milliseconds all{10'000};
  RetryPolicy retry = {.tries = 3,
                       .first_wait = std::chrono::milliseconds(500),
                       .longest_wait = std::chrono::milliseconds(1'000),
                       .budget = 3};
};

/// Sends the message until the service takes it, gives up, or the time is over. Returns what is to
/// be told people when it was not taken, without the address; empty when it was. Any thread.
std::string Deliver(HttpClient& client, const Message& message, const CourierLimits& limits,
                    const std::stop_token& stop, Log& log);

/// The same for several, at the same time.
std::vector<std::string> DeliverAll(HttpClient& client, const std::vector<Message>& messages,
                                    const CourierLimits& limits, const std::stop_token& stop,
                                    Log& log);

}  // namespace oxbackup
