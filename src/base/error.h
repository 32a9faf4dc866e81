// The one error type. Everything that ends a run is thrown as an Error and printed in one place
// (cli/main.cc); expected outcomes ("not found", "end of stream") are return values instead.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace oxbackup {

/// What kind of failure it is; it decides the exit status (cli/exit_status.h).
enum class ErrorKind {
  kUsage,      ///< the caller asked for something impossible: flags, settings
  kNotFound,   ///< no suitable archive, database or object where one was named
  kSource,     ///< a database or a file could not be read or written
  kStore,      ///< the place where archives live failed
  kCorrupt,    ///< an archive does not hold what it says
  kCancelled,  ///< somebody asked to stop
  kInternal,   ///< a bug of ours
};

/// Returns the kind's stable lower-case name, as JSON output has it ("usage", "not_found", …).
std::string_view ErrorKindName(ErrorKind kind);

/// An error with what failed, what was being done (outermost last), the underlying cause in its own
/// words, and what the operator can do next. Built by chaining:
///   throw Error(ErrorKind::kSource, "MySQL refused the snapshot lock")
///       .Cause(mysql_error(c)).Hint("grant RELOAD to the user, or pass --mysql-readers 1");
/// Copyable; crosses threads as std::exception_ptr. Never put a secret into any of its texts.
class Error final : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& what_failed);

  /// Adds what was being done when it failed; inner contexts are added first.
  Error& While(std::string context);
  /// Sets the underlying reason in the words of whoever gave it (a server, strerror).
  Error& Cause(std::string cause);
  /// Sets what was tried before giving up.
  Error& Tried(std::string tried);
  /// Sets what the operator should do next. The first hint wins: it is nearest to the cause.
  Error& Hint(std::string hint);
  /// Says in whole sentences what has become of the things that the run worked on. The last one
  /// wins: it comes from whoever saw the whole.
  Error& Outcome(std::string outcome);
  /// Says that the same call may succeed a little later (a lost connection, an overloaded server).
  /// Set by whoever knows the server's answer; http/retrier alone tries the call again for it.
  Error& Transient();

  ErrorKind kind() const { return kind_; }
  const std::string& cause() const { return cause_; }
  const std::string& tried() const { return tried_; }
  const std::string& hint() const { return hint_; }
  const std::string& outcome() const { return outcome_; }
  bool transient() const { return transient_; }
  const std::vector<std::string>& contexts() const { return contexts_; }

 private:
  ErrorKind kind_;
  std::string cause_;
  std::string tried_;
  std::string hint_;
  std::string outcome_;
  std::vector<std::string> contexts_;
  bool transient_ = false;
};

/// Returns an Error for a failed system call, its cause being strerror(error_number).
Error SystemError(ErrorKind kind, const std::string& what_failed, int error_number);

/// Returns the Error that a cancelled run ends with.
Error CancelledError();

/// Runs `body`; an Error that leaves it gets the context that `context()` returns.
template <class Context, class Body>
decltype(auto) WithContext(Context&& context, Body&& body) {
  try {
    return body();
  } catch (Error& error) {
    error.While(context());
    throw;
  }
}

}  // namespace oxbackup
