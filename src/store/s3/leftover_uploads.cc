#include "store/s3/leftover_uploads.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

#include "base/pause.h"

namespace oxbackup::s3 {
namespace {

constexpr std::chrono::hours kDead{24};

bool IsArchiveName(const std::string& name) {
  constexpr std::array<std::string_view, 3> kOurs = {".tar.xz", ".tar.zst", ".tar"};
  return std::ranges::any_of(kOurs,
                             [&](std::string_view suffix) { return name.ends_with(suffix); });
}

// An assumed role's id ends in the name of a session, which is another one in every pod.
std::string_view AccountOf(const ListedUpload& upload) {
  const std::string_view id = upload.initiator;
  return id.find(":assumed-role/") == std::string_view::npos ? id : id.substr(0, id.rfind('/'));
}

// The others yield at once if they see us, so it is soon known who of those that we see does not.
constexpr std::chrono::milliseconds kBetweenLooks{500};
constexpr int kLooks = 10;

const ListedUpload* Find(const std::vector<ListedUpload>& uploads, const std::string& id) {
  const auto found = std::ranges::find(uploads, id, &ListedUpload::id);
  return found == uploads.end() ? nullptr : &*found;
}

struct Rivals {
  bool any_before_us = false;
  std::vector<std::string> after_us;  // their uploads' ids
};

// Of two that began in one second, which is how exactly servers tell, the smaller id is before the
// greater one.
Rivals RivalsOf(const Bucket& bucket, const std::string& name, const std::string& upload) {
  Rivals rivals;
  const std::optional<std::vector<ListedUpload>> uploads = bucket.Uploads(name);
  const ListedUpload* const ours = uploads ? Find(*uploads, upload) : nullptr;
  if (ours == nullptr) return rivals;
  for (const ListedUpload& other : *uploads) {
    if (bucket.NameOfKey(other.key) != name || other.id == upload ||
        ours->initiated - other.initiated >= kDead) {
      continue;
    }
    const bool before = std::tie(other.initiated, other.id) < std::tie(ours->initiated, ours->id);
    if (before) rivals.any_before_us = true;
    if (!before) rivals.after_us.push_back(other.id);
  }
  return rivals;
}

bool AnyLeft(const std::vector<std::string>& seen, const Bucket& bucket, const std::string& name) {
  const std::optional<std::vector<ListedUpload>> uploads = bucket.Uploads(name);
  return uploads && std::ranges::any_of(
                        seen, [&](const std::string& id) { return Find(*uploads, id) != nullptr; });
}

}  // namespace

// Backups begin at full hours, several in one second. Each begins its upload and then looks, so of
// two the one that began later sees the other, and takes the name only if that one gives it up:
// two never have it. One that sees somebody before it yields; one that sees later ones alone waits
// for them to yield. Those that stay looked before we began (or their server tells when the last
// part came, as versitygw does). Whoever comes while we wait sees us and does not count: if it did,
// we would yield to one that waits for us.
bool IsFirst(const Bucket& bucket, const std::string& name, const std::string& upload) {
  const Rivals rivals = RivalsOf(bucket, name, upload);
  if (rivals.any_before_us) return false;
  if (rivals.after_us.empty()) return true;
  const RunContext& run = bucket.client().run();
  for (int look = 1; look <= kLooks; ++look) {
    Pause(run.stop, kBetweenLooks);
    run.ThrowIfStopped();
    if (!AnyLeft(rivals.after_us, bucket, name)) return true;
  }
  return false;
}

void RemoveLeftovers(const Bucket& bucket, const std::string& name, const std::string& upload) {
  const RunContext& run = bucket.client().run();
  const std::optional<std::vector<ListedUpload>> own = bucket.Uploads(name);
  const ListedUpload* const ours = own ? Find(*own, upload) : nullptr;
  const std::optional<std::vector<ListedUpload>> all =
      ours == nullptr ? std::nullopt : bucket.Uploads("");
  if (!all) {
    run.log.Debug("{}: unfinished uploads cannot be listed, so none are removed",
                  bucket.Location());
    return;
  }
  for (const ListedUpload& other : *all) {
    run.ThrowIfStopped();
    const std::string other_name = bucket.NameOfKey(other.key);
    if (!IsArchiveName(other_name) || AccountOf(other) != AccountOf(*ours) ||
        ours->initiated - other.initiated < kDead) {
      continue;
    }
    const std::optional<Error> error = bucket.AbortUpload(other_name, other.id);
    if (error) {
      run.log.Info("an unfinished upload of {} could not be removed: {}", other_name,
                   error->what());
    } else {
      run.log.Info("removed an upload of {} that was never finished", other_name);
    }
  }
}

}  // namespace oxbackup::s3
