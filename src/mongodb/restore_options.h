// What a restore is told, and the mongorestore options that operators of the predecessor have set.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oxbackup::mongodb {

struct RestoreOptions {
  std::vector<std::string> databases;   ///< by their names in the archive; empty: all that it holds
  int workers = 4;                      ///< connections that load, index and read back, at least 1
  std::vector<std::string> ns_include;  ///< patterns "db.collection" with '*'; empty: everything
  std::vector<std::string> ns_exclude;
  /// Pairs of patterns: what matches the first is restored under the name that the second makes of
  /// it ('*' and '$name$' stand for the same text in both).
  std::vector<std::pair<std::string, std::string>> ns_rename;
  bool no_index_restore = false;
  /// Of the load: "majority", a number or a JSON object; empty: the server's default.
  std::string write_concern;
  /// Where the record of the swap lives, for as long as it moves or its old data are kept.
  std::string record_database = "openedx_backup";
  /// Called before each change of WriteIntent, Swap, CompleteSwap, UndoSwap and CloseSwap with what
  /// it is; tests throw in it to stand for a death at that step. Not called when empty.
  std::function<void(std::string_view step)> before_step;
};

/// Reads MONGORESTORE_ADDITIONAL_OPTIONS: -j/--numParallelCollections,
/// --numInsertionWorkersPerCollection, --nsInclude, --nsExclude, --nsFrom, --nsTo,
/// --noIndexRestore,
/// --bypassDocumentValidation (always done), --writeConcern; values after '=' or as the next word,
/// words in single or double quotes as a shell takes them. Their order does not matter; of an
/// option of one value that is given twice the last counts. `workers` is the greater of the two
/// numbers of workers.
/// Throws Error(kUsage) naming an option that it does not know, or a value that does not fit.
RestoreOptions ParseMongorestoreOptions(std::string_view text);

/// Which collections are restored, and under which names. Immutable, thread-safe.
class NamespaceFilter {
 public:
  /// Throws Error(kUsage) for patterns that do not fit together.
  explicit NamespaceFilter(const RestoreOptions& options);

  /// Whether a collection of the archive is wanted.
  bool Includes(const std::string& database, const std::string& collection) const;
  /// Where it goes: database and collection.
  std::pair<std::string, std::string> Target(const std::string& database,
                                             const std::string& collection) const;

 private:
  std::vector<std::string> databases_;
  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
  std::vector<std::pair<std::string, std::string>> rename_;
};

}  // namespace oxbackup::mongodb
