// What an entry of the oplog says, and the order in which transactions take effect.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mongodb/bson.h"

namespace oxbackup::mongodb {

/// The database, and the name after it, of "db.collection".
std::string DatabaseOf(std::string_view ns);
std::string CollectionOf(std::string_view ns);

/// Whether a database is the server's own, never a site's.
bool IsServersDatabase(std::string_view database);

/// Equal for values that are the same _id to a server: numbers compare across their types.
std::string IdKey(const Element& id);

/// A field of an entry. Throw Error(kCorrupt) when it is missing or of another type.
Element RequiredField(std::string_view document, std::string_view key);
std::string_view RequiredDocument(std::string_view document, std::string_view key);
std::string RequiredText(std::string_view document, std::string_view key);

/// "renameCollection in openedx.$cmd at 1795379997:31": for messages.
std::string DescribeEntry(std::string_view entry);

/// Takes transactions apart: their operations take effect where they are committed. One thread.
class OplogTransactions {
 public:
  using Consumer = std::function<void(std::string_view operation)>;

  /// Calls `each` for what takes effect with this entry: the entry itself, the operations of an
  /// applyOps, those of a transaction in several entries when its last one comes; nothing for an
  /// aborted one. Throws Error(kCorrupt) for a transaction whose beginning was not seen.
  void Apply(std::string_view entry, const Consumer& each);

 private:
  void ApplyOps(std::string_view entry, std::string_view command, const Consumer& each);
  void Commit(std::string_view entry, const Consumer& each);

  /// Operations of transactions that are not committed yet, by session and number.
  std::map<std::string, std::vector<std::string>> waiting_;
};

/// Whether an applyOps entry is one of several of a transaction.
bool IsPartOfTransaction(std::string_view entry);
/// Whether its transaction was still open after that entry (a later one commits or aborts it).
bool LeavesTransactionOpen(std::string_view entry);
/// Whether earlier entries belong to its transaction.
bool ContinuesTransaction(std::string_view entry);
/// Equal for the entries of one transaction.
std::string TransactionKey(std::string_view entry);

}  // namespace oxbackup::mongodb
