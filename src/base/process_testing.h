// Running other programs from tests: the engine itself, stock clients, packers.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace oxbackup {

/// What a program did.
struct ProcessResult {
  int status = 0;     ///< exit status, or 128 + the number of the signal that ended it
  std::string out;    ///< standard output
  std::string error;  ///< standard error
};

/// How a program is run.
struct ProcessOptions {
  /// Set in addition to this process's environment; an empty value removes the variable.
  std::map<std::string, std::string> environment = {};
  std::string input = {};        ///< standard input
  std::string input_file = {};   ///< read from there instead
  std::string output_file = {};  ///< standard output goes there instead of into the result
};

/// A program that runs beside the test. Killed and reaped when destroyed before Wait.
class Process {
 public:
  /// `arguments[0]` is the program, looked up in PATH. No shell takes part.
  /// Throws std::system_error when it cannot be started.
  Process(const std::vector<std::string>& arguments, const ProcessOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  /// Whether it runs still. What has ended is there to be waited for.
  bool Runs() const;
  /// Waits for its end and returns what it did. Called once.
  ProcessResult Wait();

 private:
  pid_t pid_ = -1;
  std::string scratch_;  // folder with its standard streams
  bool captures_output_ = true;
};

/// Runs a program to its end.
ProcessResult RunProcess(const std::vector<std::string>& arguments,
                         const ProcessOptions& options = {});

}  // namespace oxbackup
