// Whole dumps in memory, for tests.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "archive/archive_testing.h"
#include "base/run_context_testing.h"
#include "mongodb/dump.h"

namespace oxbackup::mongodb {

/// What a dump described and wrote.
struct TestDump {
  ComponentManifest manifest;
  std::map<std::string, ReadMember> members;  ///< by path, without the archive's own
};

/// Dumps through a whole archive and reads that back. `before_copy` runs after TakeSnapshot.
/// Throws what the dump throws.
TestDump RunTestDump(const ConnectOptions& connect, const DumpOptions& options, TestRun& run,
                     const std::function<void()>& before_copy = {});

/// The documents of the members `<prefix>` and `<prefix>.<part>`, in the order of the names.
std::vector<std::string> DumpedDocuments(const TestDump& dump, const std::string& prefix);

/// The manifest's entry of a collection; nullptr when it has none.
const ObjectEntry* FindEntry(const TestDump& dump, const std::string& database,
                             const std::string& name);

}  // namespace oxbackup::mongodb
