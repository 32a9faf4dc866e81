// A program on a terminal of its own, and somebody who reads and types there.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oxbackup {

/// A program whose controlling terminal, standard streams included, is a pseudo-terminal of 80
/// columns and 24 rows. Killed and reaped when destroyed before Wait. One thread.
class TerminalProcess {
 public:
  /// `arguments[0]` is the program, with its path. `environment`: set in addition to this
  /// process's; an empty value removes the variable. Throws std::system_error.
  TerminalProcess(const std::vector<std::string>& arguments,
                  const std::map<std::string, std::string>& environment);
  ~TerminalProcess();
  TerminalProcess(const TerminalProcess&) = delete;
  TerminalProcess& operator=(const TerminalProcess&) = delete;

  /// Reads until `text` has appeared behind what earlier calls waited for; false when the program
  /// ended, or a minute went by, without it.
  [[nodiscard]] bool Await(std::string_view text);
  /// As from the keyboard: "\x03" is Ctrl-C.
  void Type(std::string_view keys);
  void Resize(int columns);
  /// Reads all that is left and returns the exit status, or 128 + the number of the signal.
  int Wait();
  /// Everything that was written so far, escape sequences included.
  const std::string& written() const { return written_; }

 private:
  bool ReadMore();

  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string written_;
  size_t awaited_ = 0;  // up to here of written_
};

}  // namespace oxbackup
