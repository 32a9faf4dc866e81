#include "cli/error_text.h"

#include <fmt/format.h>

#include "base/log_line.h"

namespace oxbackup {
namespace {

constexpr int kIndent = 10;

std::string Row(std::string_view label, std::string_view text, const TerminalStyle& style) {
  return PadRight(fmt::format("  {}", label), kIndent) + WrapAt(text, kIndent, style.width) + "\n";
}

nlohmann::ordered_json Details(const Error& error) {
  return {{"kind", ErrorKindName(error.kind())},
          {"message", error.what()},
          {"while", error.contexts()},
          {"cause", error.cause()},
          {"tried", error.tried()},
          {"do", error.hint()}};
}

}  // namespace

std::string RenderError(const Error& error, std::string_view aftermath,
                        const TerminalStyle& style) {
  if (error.kind() == ErrorKind::kCancelled) {
    // What each thread was doing when it was asked to stop is no news to who asked.
    std::string out = Paint(style, Colour::kYellow, "Stopped on request.") + " ";
    if (!aftermath.empty()) out += fmt::format("{} ", aftermath);
    return out + fmt::format("Exit status {}.\n", static_cast<int>(StatusOf(error.kind())));
  }
  std::string out = Paint(style, Colour::kRed, "error:") + " " + error.what() + "\n";
  for (const std::string& context : error.contexts()) out += Row("while:", context, style);
  if (!error.cause().empty()) out += Row("cause:", error.cause(), style);
  if (!error.tried().empty()) out += Row("tried:", error.tried(), style);
  if (!error.hint().empty()) out += Row("do:", error.hint(), style);
  if (!aftermath.empty()) out += fmt::format("{} ", aftermath);
  return out + fmt::format("Exit status {}.\n", static_cast<int>(StatusOf(error.kind())));
}

nlohmann::ordered_json ErrorLogLine(const Error& error, std::string_view aftermath) {
  nlohmann::ordered_json line = LogLine(LogLevel::kError, error.what());
  line["error"] = Details(error);
  if (!aftermath.empty()) line["aftermath"] = aftermath;
  line["exit_status"] = static_cast<int>(StatusOf(error.kind()));
  return line;
}

nlohmann::ordered_json ErrorJson(const Error& error, std::string_view command,
                                 std::string_view aftermath) {
  const ExitStatus status = StatusOf(error.kind());
  nlohmann::ordered_json json = {{"type", "result"},
                                 {"command", command},
                                 {"status", StatusName(status)},
                                 {"exit_status", static_cast<int>(status)},
                                 {"error", Details(error)}};
  if (!aftermath.empty()) json["aftermath"] = aftermath;
  return json;
}

}  // namespace oxbackup
