#include "base/kept_log_testing.h"

namespace oxbackup {

void KeptLog::Write(LogLevel level, std::string_view message) {
  const std::lock_guard lock(mutex_);
  messages_.emplace_back(message);
  if (level == LogLevel::kWarning) warnings_.emplace_back(message);
}

std::string KeptLog::Text() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const std::string& message : messages_) text += message + "\n";
  return text;
}

std::vector<std::string> KeptLog::Messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

std::vector<std::string> KeptLog::Warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

}  // namespace oxbackup
