// Running a dump into an archive in memory and looking into it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "archive/archive_reader.h"
#include "base/run_context_testing.h"
#include "mysql/dump.h"
#include "stream/byte_stream.h"

namespace oxbackup::mysql {

/// A dump, read back.
struct DumpedArchive {
  ComponentManifest manifest;
  std::map<std::string, std::string> members;  ///< path -> content
  std::vector<std::string> warnings;

  /// Nothing (nullptr) when the manifest has no such object.
  const ObjectEntry* Find(const std::string& database, const std::string& name) const;
  /// The canonical row texts of a table, in no particular order.
  std::vector<std::string> RowsOf(const std::string& database, const std::string& table) const;
};

/// Runs a source through all its steps and reads the archive back.
DumpedArchive Dump(BackupSource& source, TestRun& test);
DumpedArchive Dump(const ConnectOptions& connect, const DumpOptions& options);

}  // namespace oxbackup::mysql
