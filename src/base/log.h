// The operator's log, handed to whoever writes to it; there is no global one.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oxbackup {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

/// Reads a level's name (debug, info, warning, error; Python's upper-case names too, as LOG_LEVEL
/// had them). Nothing for any other text.
[[nodiscard]] std::optional<LogLevel> ParseLogLevel(std::string_view text);

/// Takes log messages. Thread-safe. Messages never hold secrets.
class Log {
 public:
  virtual ~Log() = default;
  virtual void Write(LogLevel level, std::string_view message) = 0;

  template <class... Args>
  void Debug(fmt::format_string<Args...> format, Args&&... args) {
    Write(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void Info(fmt::format_string<Args...> format, Args&&... args) {
    Write(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
  }
};

/// Writes to standard error as lines of text or one JSON object a line. `colour`: of a text line's
/// level, for terminals.
std::unique_ptr<Log> MakeStderrLog(LogLevel least, LogFormat format, bool colour);

/// Drops everything; for tests and for commands whose output must stay clean.
class NullLog final : public Log {
 public:
  void Write(LogLevel, std::string_view) override {}
};

/// Warnings of a run: things the operator has to know although the run went on. Each is logged at
/// once and kept for the summary, the manifest, the JSON output and the exit status. Thread-safe.
class Warnings {
 public:
  explicit Warnings(Log& log) : log_(log) {}

  void Add(std::string message);
  std::vector<std::string> All() const;

 private:
  Log& log_;
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;  // guarded by mutex_
};

}  // namespace oxbackup
