// Follows the collections of a restore through the oplog: created, renamed, dropped, changed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context.h"
#include "mongodb/load.h"
#include "mongodb/restore_options.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Changes the set of loaded collections, and what the swap will make live, as the oplog's commands
/// say. Collections are told apart by their UUIDs, since a name alone cannot tell a renamed
/// collection from its successor; by their names where the archive has no UUIDs. Indexes change in
/// the metadata alone: they are built after the replay. One thread.
class OplogCatalog {
 public:
  using Collections = std::vector<std::unique_ptr<RestoredCollection>>;
  /// Called before a collection goes.
  using BeforeDrop = std::function<void(const RestoredCollection&)>;

  /// All must outlive it.
  OplogCatalog(Session& session, const RestoreOptions& options, const NamespaceFilter& filter,
               Collections& collections, BeforeDrop before_drop, const RunContext& run);

  /// The collection that a change of documents is about; nullptr for one that is not restored.
  RestoredCollection* Find(std::string_view entry);
  /// Applies a command ("c"). Throws Error(kCorrupt) for one that cannot be replayed.
  void ApplyCommand(std::string_view entry);
  /// Whether there is a way to replay a command of that name.
  static bool CanReplay(std::string_view command);
  /// Applies a change of a database's system.views.
  void ApplyView(std::string_view entry);
  /// Throws Error(kCorrupt) when the oplog was about a collection that lives on but that the
  /// archive does not hold.
  void CheckComplete() const;

 private:
  using Method = void (OplogCatalog::*)(std::string_view entry, std::string_view command);
  static const std::map<std::string_view, Method>& Methods();

  RestoredCollection* FindByName(std::string_view ns, bool view);
  RestoredCollection* OfCommand(std::string_view entry, std::string_view command);
  bool Wanted(const std::string& ns) const;
  void NoteUnknown(std::string_view entry, const std::string& ns);
  void Drop(const RestoredCollection& collection);
  void AddView(const std::string& ns, Bson options);

  void Create(std::string_view entry, std::string_view command);
  void DropCommand(std::string_view entry, std::string_view command);
  void DropDatabase(std::string_view entry, std::string_view command);
  void Rename(std::string_view entry, std::string_view command);
  void CollMod(std::string_view entry, std::string_view command);
  void AddIndexes(std::string_view entry, std::string_view command);
  void RemoveIndexes(std::string_view entry, std::string_view command);
  void Ignore(std::string_view entry, std::string_view command);

  Session& session_;
  const RestoreOptions& options_;
  const NamespaceFilter& filter_;
  Collections& collections_;
  const BeforeDrop before_drop_;
  const RunContext run_;
  std::map<std::string, RestoredCollection*> by_uuid_;  // by 32 hexadecimal digits
  /// UUIDs that the archive does not hold, and the wanted name that each has now.
  std::map<std::string, std::string> unknown_;
};

}  // namespace oxbackup::mongodb
