#include "terminal_testing.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

namespace oxbackup {
namespace {

constexpr int kPatienceMs = 60'000;

[[noreturn]] void Become(const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment) {
  for (const auto& [name, value] : environment) {
    if (value.empty()) {
      unsetenv(name.c_str());
    } else {
      setenv(name.c_str(), value.c_str(), 1);
    }
  }
  std::vector<std::string> words = arguments;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(pointers[0], pointers.data());
  _exit(127);
}

}  // namespace

TerminalProcess::TerminalProcess(const std::vector<std::string>& arguments,
                                 const std::map<std::string, std::string>& environment) {
  winsize size{};
  size.ws_col = 80;
  size.ws_row = 24;
  pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "forkpty");
  if (pid_ == 0) Become(arguments, environment);
}

TerminalProcess::~TerminalProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(terminal_);
}

bool TerminalProcess::ReadMore() {
  pollfd waited{terminal_, POLLIN, 0};
  if (poll(&waited, 1, kPatienceMs) <= 0) return false;
  std::array<char, 4096> buffer;
  // EIO: the last process that had the terminal open has ended.
  const ssize_t size = read(terminal_, buffer.data(), buffer.size());
  if (size <= 0) return false;
  written_.append(buffer.data(), static_cast<size_t>(size));
  return true;
}

bool TerminalProcess::Await(std::string_view text) {
  while (true) {
    const size_t found = written_.find(text, awaited_);
    if (found != std::string::npos) {
      awaited_ = found + text.size();
      return true;
    }
    if (!ReadMore()) return false;
  }
}

void TerminalProcess::Type(std::string_view keys) {
  while (!keys.empty()) {
    const ssize_t size = write(terminal_, keys.data(), keys.size());
    if (size < 0) throw std::system_error(errno, std::generic_category(), "typing");
    keys.remove_prefix(static_cast<size_t>(size));
  }
}

void TerminalProcess::Resize(int columns) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = 24;
  if (ioctl(terminal_, TIOCSWINSZ, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "resizing");
  }
}

int TerminalProcess::Wait() {
  while (ReadMore()) {
  }
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace oxbackup
