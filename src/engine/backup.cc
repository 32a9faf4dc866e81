#include "engine/backup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "archive/archive_check.h"
#include "base/error.h"
#include "base/version.h"
#include "engine/live_removal.h"
#include "engine/location.h"
#include "engine/open_runs.h"
#include "engine/undo.h"

namespace oxbackup {
namespace {

// Shows how much of the archive has been written.
class CountingSink final : public ByteSink {
 public:
  CountingSink(ByteSink& sink, Progress& progress) : sink_(sink), progress_(progress) {}

  void Write(std::string_view bytes) override {
    sink_.Write(bytes);
    progress_.Add("archive", bytes.size(), 0, {});
  }
  void Finish() override { sink_.Finish(); }

 private:
  ByteSink& sink_;
  Progress& progress_;
};

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

template <class Step>
void ForSource(BackupSource& source, std::string_view what, const Step& step) {
  WithContext([&] { return fmt::format("{} {}", what, source.name()); }, [&] { step(source); });
}

// Copies all sources so that their moments lie close together: a source whose copy stands for the
// moment at which it ends is copied before the next one's snapshot is taken; the others' snapshots
// are all taken before the first of them is copied.
void CopyAll(BackupSources& sources, ArchiveWriter& writer) {
  std::vector<BackupSource*> waiting;
  // Reverse order: MongoDB's copy may end with the moment at which MySQL's snapshot is then taken,
  // and files come last, so that what the databases refer to is there.
  std::vector<BackupSource*> databases;
  std::vector<BackupSource*> trees;
  for (const auto& source : sources) {
    const bool database = source->name() == "mysql" || source->name() == "mongodb";
    (database ? databases : trees).push_back(source.get());
  }
  std::ranges::reverse(databases);
  const auto copy = [&](BackupSource& source) {
    ForSource(source, "copying", [&](BackupSource& s) { s.Copy(writer); });
  };
  for (std::vector<BackupSource*>* group : {&databases, &trees}) {
    waiting.clear();
    for (BackupSource* source : *group) {
      ForSource(*source, "taking a snapshot of", [](BackupSource& s) { s.TakeSnapshot(); });
      if (source->moment_is_end_of_copy()) {
        copy(*source);
      } else {
        waiting.push_back(source);
      }
    }
    for (BackupSource* source : *group) {
      ForSource(*source, "letting writers go on in", [](BackupSource& s) { s.ReleaseMoment(); });
    }
    for (BackupSource* source : waiting) copy(*source);
  }
}

int64_t SkewMs(const std::vector<ComponentManifest>& components) {
  std::optional<TimePoint> first;
  std::optional<TimePoint> last;
  for (const ComponentManifest& component : components) {
    if (component.server_flavour.empty()) continue;
    first = first ? std::min(*first, component.moment) : component.moment;
    last = last ? std::max(*last, component.moment) : component.moment;
  }
  if (!first) return 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(*last - *first).count();
}

Manifest Describe(BackupSources& sources, const BackupOptions& options, TimePoint started,
                  const RunContext& run) {
  Manifest manifest;
  manifest.tool_version = kVersion;
  manifest.host = HostName();
  manifest.compression = FormatCompression(options.archive.compression);
  manifest.started = started;
  for (const auto& source : sources) {
    ForSource(*source, "finishing",
              [&](BackupSource& s) { manifest.components.push_back(s.Finish()); });
  }
  manifest.finished = run.clock.Now();
  manifest.skew_ms = SkewMs(manifest.components);
  manifest.warnings = run.warnings.All();
  return manifest;
}

void ReadBack(Store& store, const ObjectId& archive, uint64_t size, const RunContext& run) {
  // Whatever fails from here on, there is an archive.
  run.progress.Begin("archive", "read back", size);
  run.progress.Add("archive", 0, 0, archive.name);
  const std::unique_ptr<RangedSource> stored = store.Open(archive);
  if (stored == nullptr) {
    throw Error(ErrorKind::kStore,
                fmt::format("{} vanished right after it was written", archive.name));
  }
  WithContext([&] { return "reading back " + archive.name; },
              [&] { CheckStoredBytes(*stored, run); });
  run.progress.Done("archive");
}

}  // namespace

BackupReport Backup(Store& store, BackupSources& sources, RestoreTargets& targets,
                    const BackupOptions& options, const RunContext& run) {
  const TimePoint started = run.clock.Now();
  const std::vector<std::string> names =
      NewArchiveNames(options.name, ArchiveSuffix(options.archive.compression.codec), started);
  for (const std::string& sentence : FinishOpenSwaps(targets, run)) run.warnings.Add(sentence);
  RefuseRemovedData(targets);
  BackupReport report;
  for (const KeptRestore& kept : FindKeptRestores(targets)) {
    report.kept_old.push_back(fmt::format(
        "what the restore of {} (started {}) replaced in {} is kept beside the live data",
        kept.intent.archive, kept.intent.started, fmt::join(kept.components, ", ")));
  }
  const std::string name = FirstFreeName(store, names);
  run.log.Info("backing up to {}/{}", store.Location(), name);
  for (const auto& source : sources) {
    ForSource(*source, "preparing", [](BackupSource& s) { s.Prepare(); });
  }
  // All at once, so that nobody takes the end of the first one for the end of the run.
  for (const auto& source : sources) run.progress.Begin(source->name(), kWaitingPhase, 0);
  // Opened after the sources are known to be usable, so that a wrong password leaves no file at
  // all.
  const std::unique_ptr<ObjectWriter> object = store.Create(names);
  run.progress.Begin("archive", "write", 0);
  run.progress.Add("archive", 0, 0, name);
  CountingSink sink(*object, run.progress);
  {
    ArchiveWriter writer(sink, options.archive, run);
    CopyAll(sources, writer);
    run.ThrowIfStopped();
    report.manifest = Describe(sources, options, started, run);
    report.totals = writer.Finish(report.manifest);
  }
  report.name = object->name();
  report.version = object->id().version;
  run.progress.Done("archive");
  report.proof = object->Proof();
  if (options.read_back && report.proof.empty()) {
    const TimePoint written = run.clock.Now();
    ReadBack(store, object->id(), report.totals.stored_bytes, run);
    report.read_back = true;
    report.read_back_time =
        std::chrono::duration_cast<std::chrono::milliseconds>(run.clock.Now() - written);
  }
  report.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(run.clock.Now() - started);
  return report;
}

}  // namespace oxbackup
