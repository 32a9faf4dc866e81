// Archives in memory and whole restores, for the tests of the MongoDB restore.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive_reader.h"
#include "archive/component.h"
#include "base/run_context_testing.h"
#include "mongodb/restore_options.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// A MongoDB dump as members in memory, readable as an archive and described by a manifest.
class TestArchive {
 public:
  /// Adds a collection with documents in extended JSON (or raw: AddRaw) and its metadata.
  void Add(const std::string& database, const std::string& collection,
           const std::vector<std::string>& documents, std::string_view metadata_json = "{}");
  void AddRaw(const std::string& database, const std::string& collection,
              const std::vector<std::string>& documents, std::string_view metadata_json = "{}");
  /// Adds the metadata of a view.
  void AddView(const std::string& database, const std::string& name, std::string_view options_json);
  /// Any other member.
  void AddMember(const std::string& path, std::string content);
  void Reverse();

  Manifest manifest() const;
  /// `random_access` false: as a pipe or a foreign archive, in the order of the members.
  std::unique_ptr<ArchiveReader> Open(bool random_access = true) const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;
  ComponentManifest component_;
};

/// What a whole restore of `archive` does to the server: Plan, Load, Verify, WriteIntent, Swap,
/// CloseSwap. The target is destroyed when any of them throws, after Abandon when Swap was not
/// called.
void RestoreAll(const ConnectOptions& connect, const RestoreOptions& options,
                const TestArchive& archive, TestRun& run, bool keep_old = false,
                bool random_access = true, bool with_manifest = true);

/// What a restore that dies once it has loaded does: Plan and Load.
void LoadAndDie(const ConnectOptions& connect, const RestoreOptions& options,
                const TestArchive& archive, TestRun& run);

/// Runs `body` with these options and a step hook that ends it, as a death would, before the step
/// of that number. False: it came to its end.
bool DiesAt(int step, RestoreOptions options,
            const std::function<void(const RestoreOptions& options)>& body);

SwapIntent TestIntent(const std::string& run_id = "run-1");

}  // namespace oxbackup::mongodb
