#include "mongodb/collection_copier.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/task_group.h"
#include "mongodb/count_check.h"
#include "mongodb/part_builder.h"
#include "mongodb/range_reader.h"
#include "mongodb/read_plan.h"

namespace oxbackup::mongodb {
namespace {

// A collection that is dropped and made anew again and again ($out) is followed so often.
constexpr int kReplacements = 3;

bool IsSmall(const CollectionInfo& collection) {
  return collection.has_estimates && collection.bytes < GroupBuilder::kSingleMemberBytes;
}

}  // namespace

CollectionCopier::CollectionCopier(CopierOptions options, ArchiveWriter& writer,
                                   const RunContext& run)
    : options_(std::move(options)),
      writer_(writer),
      run_(run),
      sessions_(static_cast<size_t>(std::max(1, options_.readers))) {}

Session& CollectionCopier::SessionFor(size_t reader) {
  std::unique_ptr<Session>& session = sessions_[reader];
  if (!session) session = std::make_unique<Session>(options_.connect, run_.stop);
  return *session;
}

void CollectionCopier::CopyOlder(const std::vector<CollectionInfo>& collections,
                                 const IdValue& border) {
  std::vector<Task> tasks;
  for (const CollectionInfo& collection : collections) {
    if (IsSmall(collection)) continue;
    auto split = SplitAt(PlanRanges(SessionFor(0), collection, false, options_.readers), border);
    if (!split) continue;
    Begun& begun = begun_[collection.full_name()];
    begun.output = std::make_unique<CollectionOutput>(collection, true);
    begun.rest = std::move(split->rest);
    AddRangeTasks(*begun.output, split->older, tasks);
  }
  RunTasks(tasks);
}

void CollectionCopier::AddRangeTasks(CollectionOutput& output, const std::vector<IdRange>& ranges,
                                     std::vector<Task>& tasks) const {
  for (const IdRange& range : ranges) {
    tasks.emplace_back([this, &output, range](Session& session, const RunContext& run) {
      CopyRange(session, output, range, nullptr, run);
    });
  }
}

std::vector<std::unique_ptr<CollectionOutput>> CollectionCopier::Copy(
    const std::vector<CollectionInfo>& collections) {
  Outputs outputs(collections.size());
  RunTasks(MakeTasks(collections, outputs));
  const CountCheck check(SessionFor(0), options_.moment.at_cluster_time, options_.frozen);
  for (const auto& output : outputs) {
    if (!output->dropped()) {
      check.Check(*output);
      continue;
    }
    run_.warnings.Add(fmt::format("MongoDB: {} was dropped during the backup and is not in it",
                                  output->collection().full_name()));
  }
  return outputs;
}

// Biggest ranges' collections first, so that no reader is left alone with one at the end; the small
// ones are one task, since they are grouped in a fixed order.
std::vector<CollectionCopier::Task> CollectionCopier::MakeTasks(
    const std::vector<CollectionInfo>& collections, Outputs& outputs) {
  std::vector<Task> tasks;
  std::vector<size_t> small;
  std::vector<size_t> big;
  for (size_t i = 0; i < collections.size(); ++i) {
    if (auto begun = begun_.extract(collections[i].full_name())) {
      outputs[i] = std::move(begun.mapped().output);
      AddRangeTasks(*outputs[i], begun.mapped().rest, tasks);
      continue;
    }
    (IsSmall(collections[i]) ? small : big).push_back(i);
  }
  std::stable_sort(big.begin(), big.end(),
                   [&](size_t a, size_t b) { return collections[a].bytes > collections[b].bytes; });
  for (const size_t i : small) {
    outputs[i] = std::make_unique<CollectionOutput>(collections[i], false);
  }
  if (!small.empty()) {
    tasks.emplace_back([this, &outputs, small](Session& session, const RunContext& run) {
      CopySmall(session, outputs, small, run);
    });
  }
  for (const size_t i : big) {
    const std::vector<IdRange> ranges =
        PlanRanges(SessionFor(0), collections[i], false, options_.readers);
    run_.log.Debug("reading {} in {} range(s)", collections[i].full_name(), ranges.size());
    outputs[i] = std::make_unique<CollectionOutput>(collections[i], ranges.size() > 1);
    if (ranges.size() == 1) {
      tasks.emplace_back(
          [this, &output = outputs[i], range = ranges[0]](Session& session, const RunContext& run) {
            CopyWhole(session, output, range, nullptr, run);
          });
      continue;
    }
    AddRangeTasks(*outputs[i], ranges, tasks);
  }
  return tasks;
}

void CollectionCopier::RunTasks(const std::vector<Task>& tasks) {
  std::atomic<size_t> next{0};
  const size_t readers = std::min(sessions_.size(), tasks.size());
  TaskGroup group(run_.stop);
  for (size_t reader = 0; reader < readers; ++reader) {
    group.Run([&, reader](const std::stop_token& stop) {
      const RunContext run = run_.WithStop(stop);
      Session& session = SessionFor(reader);
      for (size_t task = next++; task < tasks.size(); task = next++) tasks[task](session, run);
    });
  }
  group.Wait();
}

void CollectionCopier::CopyRange(Session& session, CollectionOutput& output, const IdRange& range,
                                 GroupBuilder* small, const RunContext& run) const {
  RangeRead read{output.collection(), range, options_.by_uuid, std::nullopt};
  // Capped collections refuse to be read at an instant.
  if (!read.collection.is_capped()) read.at_cluster_time = options_.moment.at_cluster_time;
  RangeReader reader(session, read, run);
  PartBuilder parts(output, writer_, small, run);
  for (;;) {
    run.ThrowIfStopped();
    switch (reader.Next()) {
      case RangeReader::Step::kDocument:
        parts.Add(reader.document(), reader.id());
        continue;
      case RangeReader::Step::kStartOver:
        if (parts.StartOver()) continue;
        throw Error(ErrorKind::kSource, output.collection().full_name() +
                                            " was renamed or rebuilt while it was being read")
            .Hint("run the backup again; nothing of this run is kept");
      case RangeReader::Step::kDropped:
        output.MarkDropped();
        return;
      case RangeReader::Step::kEnd:
        if (reader.left_the_instant()) output.MarkLeftTheInstant();
        parts.Finish();
        return;
    }
  }
}

// A collection that was dropped before any of it was handed over may have a successor of the same
// name ($out, a restore): that one is copied then.
void CollectionCopier::CopyWhole(Session& session, std::unique_ptr<CollectionOutput>& output,
                                 const IdRange& range, GroupBuilder* small,
                                 const RunContext& run) const {
  for (int replacement = 0;; ++replacement) {
    CopyRange(session, *output, range, small, run);
    if (!output->dropped() || replacement == kReplacements) return;
    const CollectionInfo& old = output->collection();
    const auto now = FindCollection(session, old.database, old.stored_name());
    if (!now || now->is_view()) return;
    CollectionInfo successor = old;
    successor.uuid = now->uuid;
    output = std::make_unique<CollectionOutput>(std::move(successor), false);
  }
}

void CollectionCopier::CopySmall(Session& session, Outputs& outputs,
                                 const std::vector<size_t>& which, const RunContext& run) const {
  GroupBuilder groups(writer_, run);
  for (const size_t i : which) {
    const std::vector<IdRange> ranges = PlanRanges(session, outputs[i]->collection(), true, 1);
    CopyWhole(session, outputs[i], ranges[0], &groups, run);
  }
  groups.Flush();
}

}  // namespace oxbackup::mongodb
