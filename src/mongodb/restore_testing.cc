#include "mongodb/restore_testing.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "archive/path_name.h"
#include "base/hash.h"
#include "base/task_group.h"
#include "mongodb/dump_path.h"
#include "mongodb/extended_json.h"
#include "mongodb/restore_target.h"

namespace oxbackup::mongodb {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

class MemoryReader final : public ArchiveReader {
 public:
  MemoryReader(Members members, bool random_access)
      : members_(std::move(members)), random_access_(random_access) {}

  const Manifest* manifest() const override { return nullptr; }
  bool random_access() const override { return random_access_; }
  std::string Name() const override { return "memory"; }

  void Read(const MemberFilter& filter, const MemberConsumer& consumer, int threads,
            const RunContext& run) override {
    std::atomic<size_t> next = 0;
    const auto deliver = [&](const std::stop_token& stop) {
      for (size_t at = next++; at < members_.size() && !stop.stop_requested(); at = next++) {
        const auto& [path, content] = members_[at];
        if (!filter(path)) continue;
        MemberInfo info;
        info.path = path;
        info.size = content.size();
        MemoryByteSource source(content);
        consumer(info, source);
      }
    };
    if (!random_access_ || threads == 1) {
      deliver(run.stop);
      return;
    }
    TaskGroup group(run.stop);
    for (int thread = 0; thread < threads; ++thread) group.Run(deliver);
    group.Wait();
  }

 private:
  const Members members_;
  const bool random_access_;
};

}  // namespace

void TestArchive::Add(const std::string& database, const std::string& collection,
                      const std::vector<std::string>& documents, std::string_view metadata_json) {
  std::vector<std::string> raw;
  for (const std::string& document : documents) {
    raw.emplace_back(FromJson(document, "a test's document").bytes());
  }
  AddRaw(database, collection, raw, metadata_json);
}

void TestArchive::AddRaw(const std::string& database, const std::string& collection,
                         const std::vector<std::string>& documents,
                         std::string_view metadata_json) {
  const std::string base = kDumpFolder + EscapeName(database) + "/" + EscapeName(collection);
  std::string data;
  ContentDigest digest;
  for (const std::string& document : documents) {
    data += document;
    digest.Add(document);
  }
  if (!metadata_json.empty()) members_.emplace_back(base + ".metadata.json", metadata_json);
  ObjectEntry entry;
  entry.database = database;
  entry.name = collection;
  entry.kind = "collection";
  entry.items = digest.count();
  entry.raw_bytes = data.size();
  entry.digest = digest.Hex();
  component_.objects.push_back(std::move(entry));
  members_.emplace_back(base + ".bson", std::move(data));
}

void TestArchive::AddView(const std::string& database, const std::string& name,
                          std::string_view options_json) {
  members_.emplace_back(
      kDumpFolder + EscapeName(database) + "/" + EscapeName(name) + ".metadata.json",
      fmt::format(R"({{"type": "view", "options": {}, "indexes": []}})", options_json));
  ObjectEntry entry;
  entry.database = database;
  entry.name = name;
  entry.kind = "view";
  component_.objects.push_back(std::move(entry));
}

void TestArchive::AddMember(const std::string& path, std::string content) {
  members_.emplace_back(path, std::move(content));
}

void TestArchive::Reverse() { std::reverse(members_.begin(), members_.end()); }

Manifest TestArchive::manifest() const {
  Manifest manifest;
  manifest.components.push_back(component_);
  manifest.components.back().name = "mongodb";
  return manifest;
}

std::unique_ptr<ArchiveReader> TestArchive::Open(bool random_access) const {
  return std::make_unique<MemoryReader>(members_, random_access);
}

bool DiesAt(int step, RestoreOptions options,
            const std::function<void(const RestoreOptions& options)>& body) {
  // No Error, so that nobody could handle it by mistake.
  struct Killed {};
  int count = 0;
  options.before_step = [&count, step](std::string_view) {
    if (count++ == step) throw Killed();
  };
  try {
    body(options);
  } catch (const Killed&) {
    return true;
  }
  return false;
}

SwapIntent TestIntent(const std::string& run_id) {
  SwapIntent intent;
  intent.run_id = run_id;
  intent.archive = "backup.2026-11-22.tar.xz";
  intent.started = "2026-11-22T20:48:20.123Z";
  intent.components = {"mongodb"};
  intent.identity = "identity of " + run_id;
  intent.created = "2026-11-22T20:00:00Z";
  intent.applied = "2026-11-22T20:50:00Z";
  return intent;
}

void RestoreAll(const ConnectOptions& connect, const RestoreOptions& options,
                const TestArchive& archive, TestRun& run, bool keep_old, bool random_access,
                bool with_manifest) {
  const auto target = MakeRestoreTarget(connect, options, run.run);
  const Manifest manifest = archive.manifest();
  const auto reader = archive.Open(random_access);
  bool swapping = false;
  try {
    static_cast<void>(target->Plan(with_manifest ? &manifest : nullptr, RestoreRoom::kBeside));
    target->Load(*reader);
    target->Verify(with_manifest ? manifest.Find("mongodb") : nullptr);
    target->WriteIntent(TestIntent());
    swapping = true;
    target->Swap();
    target->CloseSwap(keep_old);
  } catch (const Error&) {
    if (!swapping) target->Abandon();
    throw;
  }
}

void LoadAndDie(const ConnectOptions& connect, const RestoreOptions& options,
                const TestArchive& archive, TestRun& run) {
  const auto target = MakeRestoreTarget(connect, options, run.run);
  const Manifest manifest = archive.manifest();
  const auto reader = archive.Open();
  static_cast<void>(target->Plan(&manifest, RestoreRoom::kBeside));
  target->Load(*reader);
}

}  // namespace oxbackup::mongodb
