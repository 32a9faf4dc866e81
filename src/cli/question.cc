#include "cli/question.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/text.h"

namespace oxbackup {
namespace {

/// A line from the terminal; what came so far when the terminal hangs up.
std::string ReadLine(int terminal, int stopped) {
  std::string line;
  for (;;) {
    pollfd waited[] = {{terminal, POLLIN, 0}, {stopped, POLLIN, 0}};
    if (poll(waited, 2, -1) < 0) {
      if (errno == EINTR) continue;
      throw SystemError(ErrorKind::kInternal, "the terminal cannot be waited for", errno);
    }
    if (waited[1].revents != 0) {
      // What is said next must not stand behind the question.
      static_cast<void>(!write(terminal, "\n", 1));
      throw CancelledError();
    }
    char c = 0;
    if (read(terminal, &c, 1) != 1 || c == '\n') return line;
    line += c;
  }
}

}  // namespace

bool AskYesNo(const std::string& text, const std::stop_token& stop) {
  const FileDescriptor terminal(open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!terminal) {
    throw Error(ErrorKind::kUsage, "there is no terminal to ask whether to go on")
        .Hint("pass --yes where nobody can answer, as in a job");
  }
  const FileDescriptor stopped(eventfd(0, EFD_CLOEXEC));
  const std::stop_callback wake(stop, [&stopped] { eventfd_write(stopped.get(), 1); });
  if (write(terminal.get(), text.data(), text.size()) < 0) {
    throw SystemError(ErrorKind::kUsage, "the terminal cannot be written to", errno)
        .Hint("pass --yes where nobody can answer");
  }
  const std::string answer = LowerCase(ReadLine(terminal.get(), stopped.get()));
  return answer == "y" || answer == "yes";
}

bool CanAsk() { return static_cast<bool>(FileDescriptor(open("/dev/tty", O_RDWR | O_CLOEXEC))); }

}  // namespace oxbackup
