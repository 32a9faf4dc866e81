// What a restore of MongoDB replaces: told before, planned as moves before the swap, compared with
// the manifest in between.
#pragma once

#include <memory>
#include <vector>

#include "archive/component.h"
#include "mongodb/load.h"
#include "mongodb/restore_options.h"
#include "mongodb/session.h"
#include "mongodb/swap_record.h"

namespace oxbackup::mongodb {

/// For the operator's question. Throws Error(kUsage) when the server cannot have what the manifest
/// lists, a wanted database is not in it, or the account lacks a right that the restore will need.
/// `expected`: nullptr for a foreign archive.
RestorePlan MakeRestorePlan(Session& session, const ComponentManifest* expected,
                            const RestoreOptions& options, const NamespaceFilter& filter,
                            RestoreRoom room);

/// Whether a live collection that the archive lacks goes, of a database that the archive brings
/// something for. A restore of some collections, or under other names, says nothing about the
/// others.
bool TakesAway(const RestoreOptions& options, const std::string& database, const std::string& name);

using RestoredCollections = std::vector<std::unique_ptr<RestoredCollection>>;

/// The moves that put `collections` under their live names and take away what the archive lacks.
/// The record has no intent yet.
SwapRecord PlanMoves(Session& session, const RestoredCollections& collections,
                     const RestoreOptions& options);

/// Throws Error(kCorrupt) naming the first collection that was not read from the archive as the
/// manifest describes it.
void CheckAgainstManifest(const RestoredCollections& collections, const ComponentManifest& expected,
                          const NamespaceFilter& filter);

}  // namespace oxbackup::mongodb
