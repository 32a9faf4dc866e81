// What a slice of the oplog makes of the documents that it is about, in memory and byte for byte.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mongodb/bson.h"

namespace oxbackup::mongodb {

/// The document that an update entry's `o` makes of `document`: modifiers ($v: 1, up to 4.4), diffs
/// ($v: 2, from 5.0) or a whole replacement. A part that does not fit the document is left out, as
/// the document may be newer than the entry, whose successors then bring it up to date. Throws
/// Error(kCorrupt) for a kind of update that is not known.
std::string ApplyOplogUpdate(std::string_view document, std::string_view update);

/// Documents by collection, changed by the entries of an oplog. Collections are told apart by their
/// UUIDs, since a name alone cannot tell a renamed collection from its successor; entries about
/// unknown ones are passed over. One thread at a time.
class OplogReplay {
 public:
  struct Collection {
    std::string ns;
    std::map<std::string, std::string> documents;  ///< by a key of their _id
  };

  /// What the copy holds before the slice.
  void AddCollection(const Uuid& uuid, const std::string& ns);
  void AddDocument(const Uuid& uuid, std::string_view document);

  /// Applies one entry: i, u, d; transactions (also those in several entries), create, drop,
  /// rename. Those that change no documents (collMod, index builds, no-ops) are passed over. Throws
  /// Error(kCorrupt) where the entry is not of the known form.
  void Apply(std::string_view entry);

  const std::map<Uuid, Collection>& collections() const { return collections_; }

 private:
  void ApplyDocumentChange(std::string_view kind, std::string_view entry);
  void ApplyCommand(std::string_view entry);
  void ApplyTransaction(std::string_view entry, std::string_view command);
  Collection* Find(std::string_view entry);

  std::map<Uuid, Collection> collections_;
  /// Operations of transactions that are not committed yet, by session and number.
  std::map<std::string, std::vector<std::string>> waiting_;
};

}  // namespace oxbackup::mongodb
