#include "mongodb/read_moment.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/pause.h"

namespace oxbackup::mongodb {
namespace {

constexpr char kWindowParameter[] = "minSnapshotHistoryWindowInSeconds";
// Long enough for the largest sites; the server's cache pressure grows with the writes meanwhile,
// so it is set for the dump alone. Six hours less a second: a number that nobody else sets, so that
// one that is found is what a killed backup has left.
constexpr int32_t kWindowSeconds = 6 * 3600 - 1;
constexpr int32_t kDefaultWindowSeconds = 300;
constexpr int kSnapshotTries = 20;
constexpr std::chrono::milliseconds kBetweenTries(500);

Bson ProbeCommand(const CollectionInfo& collection, const Bson& read_concern) {
  return Bson()
      .Add("find", collection.stored_name())
      .Add("limit", int32_t{1})
      .Add("singleBatch", true)
      .Add("projection", Bson().Add("_id", int32_t{1}))
      .Add("readConcern", read_concern);
}

bool IsTransient(int code) { return code == kSnapshotUnavailable || code == kSnapshotTooOld; }

struct Probe {
  std::optional<Timestamp> at;  // the instant that all collections can be read at
  bool again = false;           // a collection is too new: try with a later instant
  std::string why_not;
};

// Lets the first collection choose an instant and asks all others whether they can be read at it.
Probe ProbeInstant(Session& session, const std::vector<CollectionInfo>& catalog) {
  Probe probe;
  for (const CollectionInfo& collection : catalog) {
    // Capped collections refuse snapshot reads altogether; they are read as they are.
    if (collection.is_view() || collection.is_capped()) continue;
    const Bson concern = probe.at ? ReadConcernAt(probe.at) : Bson().Add("level", "snapshot");
    const Reply reply = session.TryRun(collection.database, ProbeCommand(collection, concern));
    if (reply.failure) {
      probe.at.reset();
      probe.again = IsTransient(reply.failure->code);
      probe.why_not = reply.failure->message;
      return probe;
    }
    const auto at = FindPath(reply.document.bytes(), {"cursor", "atClusterTime"});
    if (!at || !at->AsTimestamp()) {
      probe.at.reset();
      probe.why_not = "the server does not say at which instant it reads";
      return probe;
    }
    probe.at = at->AsTimestamp();
  }
  if (!probe.at) probe.why_not = "there is nothing to read";
  return probe;
}

}  // namespace

void PauseBeforeRetry(const RunContext& run) {
  Pause(run.stop, kBetweenTries);
  run.ThrowIfStopped();
}

Bson ReadConcernAt(const std::optional<Timestamp>& at_cluster_time) {
  Bson concern;
  if (at_cluster_time) concern.Add("level", "snapshot").Add("atClusterTime", *at_cluster_time);
  return concern;
}

ReadMoment FixMoment(Session& session,
                     const std::function<std::vector<CollectionInfo>()>& read_catalog,
                     std::vector<CollectionInfo>& catalog, const RunContext& run) {
  catalog = read_catalog();
  ReadMoment moment;
  const ServerInfo& server = session.server();
  if (server.topology == Topology::kStandalone && server.flavour != "FerretDB") {
    moment.why_not = "a standalone server has no snapshot reads";
    return moment;
  }
  for (int attempt = 1;; ++attempt) {
    const Probe probe = ProbeInstant(session, catalog);
    if (probe.at) {
      moment.at_cluster_time = probe.at;
      return moment;
    }
    if (!probe.again || attempt == kSnapshotTries) {
      moment.why_not = "no common instant: " + probe.why_not;
      return moment;
    }
    run.log.Debug("MongoDB cannot read at one instant yet: {}", probe.why_not);
    PauseBeforeRetry(run);
    catalog = read_catalog();
  }
}

std::optional<Timestamp> LastWrite(Session& session) {
  const Reply hello = session.Hello();
  const auto time = FindPath(hello.document.bytes(), {"lastWrite", "opTime", "ts"});
  return time ? time->AsTimestamp() : std::nullopt;
}

HistoryWindow::HistoryWindow(Session& session, const RunContext& run)
    : session_(session), run_(run) {
  const Reply now =
      session_.TryRun("admin", Bson().Add("getParameter", int32_t{1}).Add(kWindowParameter, true));
  if (!now.ok()) return;
  const auto seconds = FindField(now.document.bytes(), kWindowParameter);
  if (!seconds || !seconds->AsInt() || *seconds->AsInt() > kWindowSeconds) return;
  if (*seconds->AsInt() == kWindowSeconds) {
    before_ = kDefaultWindowSeconds;
    return;
  }
  const Reply set = session_.TryRun(
      "admin", Bson().Add("setParameter", int32_t{1}).Add(kWindowParameter, kWindowSeconds));
  if (set.ok()) before_ = static_cast<int32_t>(*seconds->AsInt());
}

HistoryWindow::~HistoryWindow() {
  if (!before_) return;
  try {
    session_.RunToTidyUp("admin",
                         Bson().Add("setParameter", int32_t{1}).Add(kWindowParameter, *before_));
  } catch (const Error& error) {
    run_.warnings.Add(fmt::format(
        "MongoDB's {} could not be put back to {}: {}. Set it by hand, or it stays at {} until the "
        "server's next start.",
        kWindowParameter, *before_, error.what(), kWindowSeconds));
  }
}

}  // namespace oxbackup::mongodb
