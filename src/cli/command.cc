#include "cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <thread>
#include <utility>

#include "base/log_line.h"
#include "base/text.h"
#include "cli/bucket_settings.h"
#include "cli/json_report.h"
#include "cli/question.h"

namespace oxbackup {
namespace {

constexpr uint64_t kLeastMemory = uint64_t{64} << 20;

LogFormat LogFormatOf(const SettingValues& settings) {
  return settings.TextOr("log-format", "text") == "json" ? LogFormat::kJson : LogFormat::kText;
}

LogLevel LogLevelOf(const SettingValues& settings, ProgressMode mode) {
  const std::optional<std::string> text = settings.Text("log-level");
  if (!text) return mode == ProgressMode::kBar ? LogLevel::kWarning : LogLevel::kInfo;
  const std::optional<LogLevel> level = ParseLogLevel(*text);
  if (level) return *level;
  const SettingValue value = settings.Find("log-level").value_or(SettingValue{});
  throw Error(ErrorKind::kUsage,
              fmt::format("{} has to be one of debug, info, warning, error, not '{}'", value.origin,
                          *text));
}

ProgressMode ProgressModeOf(const SettingValues& settings) {
  const std::string text = settings.TextOr("progress", "auto");
  if (text == "bar") return ProgressMode::kBar;
  if (text == "lines") return ProgressMode::kLines;
  if (text == "json") return ProgressMode::kJson;
  if (text == "none") return ProgressMode::kNone;
  const bool bar = IsTerminal(STDERR_FILENO) && LogFormatOf(settings) == LogFormat::kText;
  return bar ? ProgressMode::kBar : ProgressMode::kLines;
}

std::chrono::milliseconds IntervalOf(const SettingValues& settings) {
  const std::string text = settings.TextOr("progress-interval", "10");
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool in_range = seconds >= 0.05 && seconds <= 86400;  // which a NaN is not
  if (error != std::errc() || end != text.data() + text.size() || !in_range) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--progress-interval has to be seconds from 0.05 on, not '{}'", text))
        .Hint("for example --progress-interval 10");
  }
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

ProgressDisplay::Options DisplayOptions(const SettingValues& settings, CommandBit command) {
  if (FindSetting(command, "progress") == nullptr) return {};
  return {.mode = ProgressModeOf(settings), .interval = IntervalOf(settings)};
}

uint64_t MemoryOf(const SettingValues& settings, CommandBit command) {
  if (FindSetting(command, "memory") == nullptr) return kLeastMemory;
  const uint64_t memory = settings.Size("memory").value_or(kLeastMemory);
  if (memory >= kLeastMemory) return memory;
  const SettingValue value = settings.Find("memory").value_or(SettingValue{});
  throw Error(ErrorKind::kUsage,
              fmt::format("{} has to be 64MiB or more, not {}", value.origin, FormatBytes(memory)))
      .Hint("leave it out: the default is 256MiB");
}

bool IsDate(std::string_view text) {
  const std::optional<TimePoint> day = ParseRfc3339(std::string(text) + "T00:00:00Z");
  // A day or a month too many is counted on into the next one: only a real date is itself again.
  return day && FormatRfc3339(*day) == std::string(text) + "T00:00:00.000Z";
}

}  // namespace

CommandServices::CommandServices(const SettingValues& settings, CommandBit command)
    : budget_(std::make_unique<ByteBudget>(MemoryOf(settings, command))),
      json_(settings.Switch("json")),
      json_log_(LogFormatOf(settings) == LogFormat::kJson),
      is_job_(FindSetting(command, "progress") != nullptr),
      style_(StyleOf(STDOUT_FILENO)) {
  const ProgressDisplay::Options options = DisplayOptions(settings, command);
  auto log = MakeStderrLog(LogLevelOf(settings, options.mode), LogFormatOf(settings),
                           StyleOf(STDERR_FILENO).colour);
  display_ = std::make_unique<ProgressDisplay>(
      std::move(log), progress_, options,
      [](const ProgressView& view) { return DumpLine(ProgressJson(view)); });
  warnings_ = std::make_unique<Warnings>(*display_);
  threads_ = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (FindSetting(command, "threads") != nullptr) {
    threads_ = settings.Count("threads").value_or(threads_);
  }
  for (const std::string& remark : settings.Remarks()) {
    display_->Write(LogLevel::kWarning, remark);
  }
  signals_ = std::make_unique<SignalWatcher>(
      stop_,
      [this] {
        if (!asking_) display_->ShowStopping();
      },
      [this] {
        const std::string text =
            "Ended at once: the next backup or restore removes what is left over (an unfinished "
            "upload to a bucket: a backup a day later).";
        display_->EndAtOnce(json_log_ ? DumpLine(LogLine(LogLevel::kWarning, text)) : text);
      });
}

bool CommandServices::Ask(const std::string& text) {
  asking_ = true;
  const bool answer = AskYesNo(text, stop_.get_token());
  asking_ = false;
  return answer;
}

RunContext CommandServices::run() {
  return {stop_.get_token(), *display_, *warnings_, progress_, *budget_, clock_};
}

Location OpenConfiguredLocation(const SettingValues& settings, std::string_view flag,
                                const RunContext& run) {
  const BucketAccess access = BucketAccessOf(settings);
  const std::optional<std::string> text = settings.Text("location");
  if (text) return OpenLocation(*text, access, run);
  if (!access.bucket.empty()) return OpenLocation("s3://", access, run);
  throw Error(ErrorKind::kUsage, "no place of archives is given")
      .Hint(fmt::format("pass --{} /backup, or set BACKUP_LOCATION=/backup", flag));
}

ArchiveChoice ChoiceOf(const SettingValues& settings, const Location& location) {
  ArchiveChoice choice{.name = settings.Text("name"),
                       .date = settings.Text("date"),
                       .version = settings.Text("version")};
  if (choice.name && choice.date) {
    throw Error(ErrorKind::kUsage, "--name and --date are both given")
        .Hint("--name means one archive, --date the newest of a day");
  }
  if (choice.date && !IsDate(*choice.date)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--date has to be YYYY-MM-DD, not '{}'", *choice.date))
        .Hint("for example --date 2026-11-22");
  }
  if (!location.name) return choice;
  if (choice.name || choice.date || choice.version) {
    throw Error(ErrorKind::kUsage, "--from names one archive already")
        .Hint("leave --name, --date and --version out, or let --from name its folder");
  }
  choice.name = location.name;
  return choice;
}

}  // namespace oxbackup
