#include "store/s3/credentials/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "store/s3/credentials/providers.h"

namespace oxbackup::s3 {
namespace {

using std::chrono::minutes;

// AWS's services have new keys at least this long before the old ones expire.
constexpr minutes kRefreshBefore{5};
// Neither a service that fails nor one that gives keys for a short time is asked at each request.
constexpr minutes kPause{1};

// The same error anew. A plain copy would share its text with the original: the C++ library counts
// that by reference, where ThreadSanitizer cannot see it.
Error Again(const Error& error) {
  Error copy(error.kind(), std::string(error.what()));
  copy.Cause(error.cause()).Hint(error.hint());
  for (const std::string& context : error.contexts()) copy.While(context);
  if (error.transient()) copy.Transient();
  return copy;
}

using Providers = std::vector<std::unique_ptr<CredentialProvider>>;

// Asks the providers in turn, and from then on the one that had keys.
class Chain {
 public:
  explicit Chain(Providers providers) : providers_(std::move(providers)) {}

  Credentials Fetch(const std::stop_token& stop) {
    if (chosen_ != nullptr) {
      Finding found = chosen_->Find(stop);
      if (found.keys) return std::move(*found.keys);
      throw Error(ErrorKind::kStore, "the keys for the bucket cannot be renewed")
          .Cause(std::move(found.absence))
          .Hint("check whether the role was taken away")
          .Transient();
    }
    std::vector<std::string> absences;
    for (const auto& provider : providers_) {
      Finding found = provider->Find(stop);
      if (found.keys) {
        chosen_ = provider.get();
        return std::move(*found.keys);
      }
      absences.push_back(std::move(found.absence));
    }
    throw Error(ErrorKind::kUsage, "there are no keys for the bucket")
        .Cause(fmt::format("{}", fmt::join(absences, "; ")))
        .Hint("set S3_ACCESS_KEY and S3_SECRET_ACCESS_KEY, or give the pod or the machine a role");
  }

 private:
  const Providers providers_;
  CredentialProvider* chosen_ = nullptr;  // one of them
};

class CachedSource final : public CredentialSource {
 public:
  CachedSource(Providers providers, const Clock& clock, Log& log)
      : clock_(clock), log_(log), chain_(std::move(providers)) {}

  Credentials Get(const std::stop_token& stop) override {
    std::unique_lock lock(mutex_);
    while (NeedsFetch()) {
      if (!fetching_) return Fetch(lock, stop);
      // Somebody is at it; until then the old keys do.
      if (Hold()) break;
      if (!changed_.wait(lock, stop, [&] { return !fetching_; })) throw CancelledError();
      // All who waited fail with it, instead of asking one after the other.
      if (failure_) throw Again(*failure_);
    }
    return *keys_;
  }

  bool Renew(const Credentials& expired) override {
    const std::lock_guard lock(mutex_);
    const bool same = keys_ && keys_->access_key == expired.access_key &&
                      keys_->session_token == expired.session_token;
    if (!same) return true;  // another call was told so too
    if (clock_.Now() < renew_again_) return false;
    renew_again_ = clock_.Now() + kPause;
    keys_.reset();
    return true;
  }

 private:
  bool NeedsFetch() const { return !keys_ || (keys_->expires && clock_.Now() >= fetch_again_); }
  // Whether there are keys that have not expired.
  bool Hold() const { return keys_ && (!keys_->expires || *keys_->expires > clock_.Now()); }

  // REQUIRES: `lock` is held and nobody fetches. It is not held while the services are asked.
  Credentials Fetch(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
    fetching_ = true;
    failure_.reset();
    lock.unlock();
    std::optional<Credentials> fetched;
    std::exception_ptr failure;
    try {
      fetched = chain_.Fetch(stop);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    fetching_ = false;
    changed_.notify_all();
    if (!fetched) return AfterFailure(failure);
    keys_ = std::move(fetched);
    if (keys_->expires) PlanNext();
    return *keys_;
  }

  void PlanNext() {
    const TimePoint now = clock_.Now();
    fetch_again_ = std::max(*keys_->expires - kRefreshBefore, now + kPause);
    if (*keys_->expires > now) {
      fetch_again_ = std::min(fetch_again_, *keys_->expires);
    } else {
      // This machine's clock or the service is wrong; the bucket's server is who knows.
      log_.Info("the keys of {} expired at {} by this machine's clock; they are tried all the same",
                keys_->origin, FormatRfc3339(*keys_->expires));
    }
  }

  Credentials AfterFailure(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      if (!Hold()) {
        failure_ = Again(error);
        throw;
      }
      log_.Info("the keys of {} could not be renewed: {} ({}); they hold until {}", keys_->origin,
                error.what(), error.cause(), FormatRfc3339(*keys_->expires));
      fetch_again_ = std::min(clock_.Now() + kPause, *keys_->expires);
      return *keys_;
    }
  }

  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Chain chain_;                      // of whoever has set fetching_
  bool fetching_ = false;            // guarded by mutex_
  std::optional<Error> failure_;     // guarded by mutex_; of the last fetch, when nothing holds
  std::optional<Credentials> keys_;  // guarded by mutex_
  TimePoint fetch_again_{};          // guarded by mutex_; of keys that expire
  TimePoint renew_again_{};          // guarded by mutex_; since when Renew does so again
};

}  // namespace

std::unique_ptr<CredentialSource> MakeCredentialSource(const CredentialSettings& settings,
                                                       Environment environment, HttpClient& http,
                                                       HttpClient& local_http, const Clock& clock,
                                                       Log& log) {
  Providers providers;
  providers.push_back(SettingsProvider(settings));
  providers.push_back(VariablesProvider(environment));
  providers.push_back(WebIdentityProvider(settings, environment, http));
  providers.push_back(ProfileProvider(settings, environment, http));
  // A profile that the settings name comes before what happens to be in the environment.
  if (!settings.profile.empty()) {
    std::rotate(providers.begin() + 1, providers.end() - 1, providers.end());
  }
  providers.push_back(ContainerProvider(environment, local_http));
  providers.push_back(InstanceProvider(std::move(environment), local_http));
  return std::make_unique<CachedSource>(std::move(providers), clock, log);
}

}  // namespace oxbackup::s3
