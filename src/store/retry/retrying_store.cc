#include "store/retry/retrying_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/pause.h"
#include "base/text.h"

namespace oxbackup {
namespace {

using std::chrono::milliseconds;

class ConditionWaiter final : public RetryWaiter {
 public:
  void Wait(milliseconds time, const std::stop_token& stop) override { Pause(stop, time); }
};

milliseconds WaitBefore(const RetryPolicy& policy, int next_try) {
  const int doublings = std::min(next_try - 2, 20);
  const milliseconds full = std::min(policy.longest_wait, policy.first_wait * (1 << doublings));
  std::random_device random;
  std::uniform_int_distribution<int64_t> jitter(full.count() / 2, full.count());
  return milliseconds(jitter(random));
}

// Shared by the store, its writers and its sources, each of which may outlive the others.
struct Retrier {
  RetryPolicy policy;
  std::unique_ptr<RetryWaiter> waiter;
  Log& log;
  std::stop_token stop;

  // Calls `body(failed_before)` until it returns or throws for good.
  template <class Body>
  std::invoke_result_t<Body, bool> Run(const std::string& what, Body&& body) const {
    milliseconds waited{0};
    for (int attempt = 1;; ++attempt) {
      try {
        return body(attempt > 1);
      } catch (Error& error) {
        if (!error.transient()) throw;
        if (attempt >= policy.tries) {
          if (attempt > 1) {
            error.Tried(
                fmt::format("{} times, waiting {} in all", attempt, FormatDuration(waited)));
          }
          throw;
        }
        log.Info("{}: {} ({}); trying again", what, error.what(), error.cause());
      }
      const milliseconds wait = WaitBefore(policy, attempt + 1);
      waiter->Wait(wait, stop);
      if (stop.stop_requested()) throw CancelledError();
      waited += wait;
    }
  }
};

class RetryingWriter final : public ObjectWriter {
 public:
  RetryingWriter(std::unique_ptr<ObjectWriter> writer, std::shared_ptr<const Retrier> retrier)
      : writer_(std::move(writer)), retrier_(std::move(retrier)) {}
  void Write(std::string_view bytes) override {
    retrier_->Run("writing the archive", [&](bool) { writer_->Write(bytes); });
  }
  void Finish() override {
    retrier_->Run("finishing the archive", [&](bool) { writer_->Finish(); });
  }
  std::string name() const override { return writer_->name(); }

 private:
  std::unique_ptr<ObjectWriter> writer_;
  std::shared_ptr<const Retrier> retrier_;
};

class RetryingSource final : public RangedSource {
 public:
  RetryingSource(std::unique_ptr<RangedSource> source, std::shared_ptr<const Retrier> retrier)
      : source_(std::move(source)), retrier_(std::move(retrier)) {}
  uint64_t Size() const override { return source_->Size(); }
  void ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    retrier_->Run(fmt::format("reading {}", Name()),
                  [&](bool) { source_->ReadAt(offset, buffer, size); });
  }
  std::string Name() const override { return source_->Name(); }

 private:
  std::unique_ptr<RangedSource> source_;
  std::shared_ptr<const Retrier> retrier_;
};

class RetryingStore final : public Store {
 public:
  RetryingStore(std::unique_ptr<Store> store, std::shared_ptr<const Retrier> retrier)
      : store_(std::move(store)), retrier_(std::move(retrier)) {}

  std::unique_ptr<ObjectWriter> Create(const std::vector<std::string>& names) override {
    auto writer = Run("creating an archive", [&](bool) { return store_->Create(names); });
    return std::make_unique<RetryingWriter>(std::move(writer), retrier_);
  }
  std::unique_ptr<RangedSource> Open(const std::string& name) override {
    auto source = Run("opening " + name, [&](bool) { return store_->Open(name); });
    if (source == nullptr) return nullptr;
    return std::make_unique<RetryingSource>(std::move(source), retrier_);
  }
  std::vector<ObjectInfo> List() override {
    return Run("listing", [&](bool) { return store_->List(); });
  }
  std::optional<ObjectInfo> Stat(const std::string& name) override {
    return Run("looking at " + name, [&](bool) { return store_->Stat(name); });
  }
  bool Remove(const std::string& name) override {
    return Run("removing " + name,
               [&](bool failed_before) { return store_->Remove(name) || failed_before; });
  }
  std::string Location() const override { return store_->Location(); }

 private:
  template <class Body>
  std::invoke_result_t<Body, bool> Run(const std::string& what, Body&& body) const {
    return retrier_->Run(fmt::format("{} ({})", what, Location()), std::forward<Body>(body));
  }

  std::unique_ptr<Store> store_;
  std::shared_ptr<const Retrier> retrier_;
};

}  // namespace

std::unique_ptr<RetryWaiter> MakeRetryWaiter() { return std::make_unique<ConditionWaiter>(); }

std::unique_ptr<Store> MakeRetryingStore(std::unique_ptr<Store> store, const RetryPolicy& policy,
                                         std::unique_ptr<RetryWaiter> waiter, Log& log,
                                         std::stop_token stop) {
  auto retrier =
      std::make_shared<const Retrier>(Retrier{policy, std::move(waiter), log, std::move(stop)});
  return std::make_unique<RetryingStore>(std::move(store), std::move(retrier));
}

}  // namespace oxbackup
