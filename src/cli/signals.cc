#include "cli/signals.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "cli/exit_status.h"

namespace oxbackup {
namespace {

// timeout(1) signals its child and then its group, which that is in: nobody asked twice. What a
// terminal's keys send has no sender.
constexpr std::chrono::milliseconds kOneAct{200};

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    // Under nohup, or in the background of a shell without job control, a signal is ignored on
    // purpose; blocking it would bring it back.
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    sigaddset(&set, number);
  }
  return set;
}

}  // namespace

SignalWatcher::SignalWatcher(std::stop_source stop, std::function<void()> first,
                             std::function<void()> second)
    : stop_(std::move(stop)), first_(std::move(first)), second_(std::move(second)) {
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || wake_ < 0) {
    throw SystemError(ErrorKind::kInternal, "signals cannot be watched", errno);
  }
  thread_ = std::thread([this] { Watch(); });
}

SignalWatcher::~SignalWatcher() {
  eventfd_write(wake_, 1);
  thread_.join();
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  close(signals_);
  close(wake_);
}

void SignalWatcher::Watch() {
  // Telling can take for ever, where nobody reads what we write; the second signal is for that too.
  std::jthread teller;
  std::chrono::steady_clock::time_point stopped;
  uint32_t sender = 0;
  for (;;) {
    pollfd waited[] = {{signals_, POLLIN, 0}, {wake_, POLLIN, 0}};
    if (poll(waited, 2, -1) < 0) continue;
    if (waited[1].revents != 0) return;
    signalfd_siginfo received{};
    if (read(signals_, &received, sizeof received) != sizeof received) continue;
    const auto now = std::chrono::steady_clock::now();
    if (stop_.request_stop()) {
      teller = std::jthread(first_);
      stopped = now;
      sender = received.ssi_pid;
      continue;
    }
    if (sender != 0 && received.ssi_pid == sender && now - stopped < kOneAct) continue;
    second_();
    _exit(static_cast<int>(ExitStatus::kInterrupted));
  }
}

}  // namespace oxbackup
