#include "store/s3/leftover_uploads.h"

#include <algorithm>
#include <array>
#include <string_view>

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

// Servers tell the time at which an upload began in whole seconds, and backups begin at full hours.
// Of two that began in one second the one with the greater id yields at once, if both looked when
// both were there; that is what the other waits for.
constexpr std::chrono::seconds kTimeToYield{3};

const ListedUpload* Find(const std::vector<ListedUpload>& uploads, const std::string& id) {
  const auto found = std::ranges::find(uploads, id, &ListedUpload::id);
  return found == uploads.end() ? nullptr : &*found;
}

enum class Place { kFirst, kLater, kTied };

Place PlaceOf(const Bucket& bucket, const std::string& name, const std::string& upload) {
  const std::optional<std::vector<ListedUpload>> uploads = bucket.Uploads(name);
  const ListedUpload* const ours = uploads ? Find(*uploads, upload) : nullptr;
  if (ours == nullptr) return Place::kFirst;
  Place place = Place::kFirst;
  for (const ListedUpload& other : *uploads) {
    if (bucket.NameOfKey(other.key) != name || other.id == upload ||
        ours->initiated - other.initiated >= kDead || other.initiated > ours->initiated) {
      continue;
    }
    if (other.initiated < ours->initiated || other.id < ours->id) return Place::kLater;
    place = Place::kTied;
  }
  return place;
}

}  // namespace

bool IsFirst(const Bucket& bucket, const std::string& name, const std::string& upload) {
  Place place = PlaceOf(bucket, name, upload);
  if (place == Place::kTied) {
    const RunContext& run = bucket.client().run();
    Pause(run.stop, kTimeToYield);
    run.ThrowIfStopped();
    place = PlaceOf(bucket, name, upload);
  }
  // One that is still there has looked before we began.
  return place == Place::kFirst;
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
