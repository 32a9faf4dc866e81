// A log that tests read.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace oxbackup {

/// Keeps what is logged. Thread-safe.
class KeptLog final : public Log {
 public:
  void Write(LogLevel level, std::string_view message) override;

  /// All messages, each with a line end behind it.
  std::string Text() const;
  std::vector<std::string> Messages() const;
  /// Those of the level kWarning.
  std::vector<std::string> Warnings() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;  // guarded by mutex_
  std::vector<std::string> warnings_;  // guarded by mutex_
};

}  // namespace oxbackup
