// The command: picks what to run, prints its result, and turns an error into a message and an exit
// status. Nothing else prints errors or decides the status.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/log_line.h"
#include "cli/cmd_backup.h"
#include "cli/cmd_extract.h"
#include "cli/cmd_inspect.h"
#include "cli/cmd_list.h"
#include "cli/cmd_prune.h"
#include "cli/cmd_restore.h"
#include "cli/cmd_verify.h"
#include "cli/cmd_version.h"
#include "cli/command_line.h"
#include "cli/error_text.h"
#include "cli/flag_checks.h"
#include "cli/front_end.h"
#include "cli/generate.h"
#include "cli/json_report.h"
#include "cli/run_observer.h"

namespace oxbackup {
namespace {

/// Whoever reads the result must not get half of it and a status of success; but one who closed the
/// pipe, as `head` does, has read what they wanted.
void Print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    if (errno == EPIPE) return;
    throw SystemError(ErrorKind::kInternal, "standard output cannot be written", errno);
  }
}

CommandOutcome Dispatch(CommandBit command, const SettingValues& settings,
                        CommandServices& services) {
  switch (command) {
    case kBackup:
      return RunBackup(settings, services);
    case kRestore:
      return RunRestore(settings, services);
    case kList:
      return RunList(settings, services);
    case kInspect:
      return RunInspect(settings, services);
    case kVerify:
      return RunVerify(settings, services);
    case kExtract:
      return RunExtract(settings, services);
    case kPrune:
      return RunPrune(settings, services);
    case kVersionCommand:
      return RunVersion(settings, services);
  }
  throw Error(ErrorKind::kInternal, "a command without code");
}

ExitStatus PrintOutcome(const Command& command, const CommandOutcome& outcome,
                        const CommandServices& services) {
  const std::vector<std::string> warnings = services.warnings().All();
  const ExitStatus status =
      outcome.status.value_or(warnings.empty() ? ExitStatus::kComplete : ExitStatus::kWarnings);
  if (!services.json()) {
    Print(InFrontEndsWords(outcome.text, FrontEnd()));
    return status;
  }
  nlohmann::ordered_json json = {{"type", "result"},
                                 {"command", command.name},
                                 {"status", StatusName(status)},
                                 {"exit_status", static_cast<int>(status)}};
  json.update(outcome.json);
  json["warnings"] = warnings;
  Print(DumpLine(json) + "\n");
  return status;
}

/// What is printed in JSON.
struct JsonForms {
  bool result = false;
  bool log = false;
};

ExitStatus PrintError(const Error& error, const std::string& command, const JsonForms& json,
                      const std::string& after_command) {
  const std::string& aftermath = error.outcome().empty() ? after_command : error.outcome();
  const std::string front_end = FrontEnd();
  const std::string text = json.log ? DumpLine(ErrorLogLine(error, aftermath)) + "\n"
                                    : RenderError(error, aftermath, StyleOf(STDERR_FILENO));
  std::fputs(InFrontEndsWords(text, front_end).c_str(), stderr);
  if (json.result) {
    const std::string object = DumpLine(ErrorJson(error, command, aftermath)) + "\n";
    std::fputs(InFrontEndsWords(object, front_end).c_str(), stdout);
    std::fflush(stdout);
  }
  return StatusOf(error.kind());
}

/// Runs `body`; every exception becomes an Error, which `failed` prints and tells.
template <class Body>
ExitStatus Guarded(const std::function<ExitStatus(const Error&)>& failed, Body&& body) {
  try {
    return body();
  } catch (const Error& error) {
    return failed(error);
  } catch (const std::exception& error) {
    return failed(Error(ErrorKind::kInternal, "the engine met a situation that it does not know")
                      .Cause(error.what())
                      .Hint("please report this with the output of LOG_LEVEL=debug"));
  }
}

ExitStatus RunCommand(const CommandLine& line, JsonForms json) {
  const Command& command = *line.command;
  std::optional<ConfigFile> file;
  if (const auto path = line.flags.find("config"); path != line.flags.end()) {
    file = ReadConfigFile(path->second.front());
  }
  const SettingValues settings(command.bit, line.flags, ProcessEnvironment(), std::move(file));
  CommandServices services(settings, command.bit);
  json.log = services.json_log();
  RunObserver observer(command, settings, services);
  return Guarded(
      [&](const Error& error) {
        // The error is printed below the last state of the display, which stops first.
        services.display().Stop(false);
        const std::string aftermath = services.aftermath();
        const ExitStatus status = PrintError(error, std::string(command.name), json, aftermath);
        observer.Failed(error, aftermath);
        return status;
      },
      [&] {
        RefuseIdleFlags(settings, command.bit);
        const CommandOutcome outcome = Dispatch(command.bit, settings, services);
        services.aftermath = [] {
          return std::string("The command has done its work; its result alone is not told.");
        };
        const ExitStatus status = PrintOutcome(command, outcome, services);
        observer.Completed(status);
        return observer.ForProcess(status);
      });
}

ExitStatus Main(const std::vector<std::string>& arguments) {
  const JsonForms json{.result = AsksForJson(arguments),
                       .log = AsksForJsonLog(arguments, ProcessEnvironment())};
  const bool named = !arguments.empty() && FindCommand(arguments.front()) != nullptr;
  return Guarded(
      [&](const Error& error) {
        const ExitStatus status = PrintError(error, named ? arguments.front() : "", json, "");
        TellEarlyFailure(arguments, ProcessEnvironment(), error, json.log);
        return status;
      },
      [&] {
        const CommandLine line = ParseCommandLine(arguments);
        switch (line.action) {
          case CommandLine::Action::kHelp:
            Print(HelpText(line.command, StyleOf(STDOUT_FILENO).width));
            return ExitStatus::kComplete;
          case CommandLine::Action::kVersion:
            Print(VersionText());
            return ExitStatus::kComplete;
          case CommandLine::Action::kGenerate:
            Print(Generate(line.argument));
            return ExitStatus::kComplete;
          case CommandLine::Action::kRun:
            return RunCommand(line, json);
        }
        throw Error(ErrorKind::kInternal, "an action without code");
      });
}

// glibc raises its threshold for memory that is given back up to 32 MiB as large buffers are freed,
// and keeps a heap for every thread: blocks that the byte budget had counted as free stayed with
// the process, twice as much as was in use (docs/benchmarks.md).
void ReturnFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
  mallopt(M_ARENA_MAX, 2);
}

}  // namespace
}  // namespace oxbackup

int main(int argc, char** argv) {
  oxbackup::ReturnFreedMemory();
  // A database's connection or a reader of our output that goes away is an error to be told of.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  return static_cast<int>(oxbackup::Main(arguments));
}
