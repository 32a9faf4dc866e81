// Copies of collections that were read while writers wrote, their oplog, and the true end: recorded
// from real mongods (tests/fixtures/mongod/oplog-cases.tar.xz).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mongodb/bson.h"

namespace oxbackup::mongodb {

inline constexpr int kRecordedOplogCases = 5;

/// A collection or view of a recorded state.
struct RecordedCollection {
  std::string database;
  std::string name;
  std::string uuid;  ///< empty: a view
  Bson options;
  std::vector<Bson> indexes;
  std::vector<std::string> documents;

  /// As an archive has it.
  std::string MetadataJson() const;
};

/// `state`: "copy" or "final". `number`: 1 to kRecordedOplogCases.
std::vector<RecordedCollection> ReadRecordedState(int number, std::string_view state);
/// The oplog from the start of the copy to the end.
const std::string& RecordedOplog(int number);

}  // namespace oxbackup::mongodb
