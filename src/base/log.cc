#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/log_line.h"
#include "base/text.h"

namespace oxbackup {
namespace {

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

class StderrLog final : public Log {
 public:
  StderrLog(LogLevel least, LogFormat format, bool colour)
      : format_(format),
        logger_("openedx-backup",
                std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
                    colour ? spdlog::color_mode::always : spdlog::color_mode::never)) {
    logger_.set_level(SpdlogLevel(least));
    logger_.flush_on(spdlog::level::debug);
    logger_.set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%d %H:%M:%S %^%l%$ %v");
  }

  void Write(LogLevel level, std::string_view message) override {
    if (!logger_.should_log(SpdlogLevel(level))) return;
    if (format_ == LogFormat::kText) {
      logger_.log(SpdlogLevel(level), "{}", message);
      return;
    }
    logger_.log(SpdlogLevel(level), "{}", DumpLine(LogLine(level, message)));
  }

 private:
  const LogFormat format_;
  spdlog::logger logger_;
};

}  // namespace

nlohmann::ordered_json LogLine(LogLevel level, std::string_view message) {
  return {{"time", FormatRfc3339(std::chrono::system_clock::now())},
          {"level", LevelName(level)},
          {"message", message}};
}

std::string DumpLine(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  const std::string lower = LowerCase(text);
  if (lower == "debug") return LogLevel::kDebug;
  if (lower == "info") return LogLevel::kInfo;
  if (lower == "warning" || lower == "warn") return LogLevel::kWarning;
  if (lower == "error" || lower == "critical") return LogLevel::kError;
  return std::nullopt;
}

std::unique_ptr<Log> MakeStderrLog(LogLevel least, LogFormat format, bool colour) {
  return std::make_unique<StderrLog>(least, format, colour);
}

void Warnings::Add(std::string message) {
  log_.Write(LogLevel::kWarning, message);
  const std::lock_guard lock(mutex_);
  messages_.push_back(std::move(message));
}

std::vector<std::string> Warnings::All() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

}  // namespace oxbackup
