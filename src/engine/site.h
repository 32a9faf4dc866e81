// The site that a run works on: which components it has and where they are.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "archive/component.h"
#include "base/run_context.h"
#include "files/tree.h"
#include "mongodb/dump.h"
#include "mongodb/restore_target.h"
#include "mongodb/session.h"
#include "mysql/dump.h"
#include "mysql/restore_target.h"
#include "mysql/session.h"

namespace oxbackup {

/// All component names, in the order in which a restore swaps them.
const std::vector<std::string>& ComponentNames();

struct MysqlSite {
  mysql::ConnectOptions connect;
  mysql::DumpOptions dump;
  mysql::RestoreOptions restore;
};

struct MongodbSite {
  mongodb::ConnectOptions connect;
  mongodb::DumpOptions dump;
  mongodb::RestoreOptions restore;
};

/// A component that is not set is not part of the site.
struct Site {
  std::optional<MysqlSite> mysql;
  std::optional<MongodbSite> mongodb;
  std::optional<std::filesystem::path> caddy;         ///< Caddy's data directory
  std::vector<files::Tree> media;                     ///< media folders, each with its name
  std::optional<std::filesystem::path> tutor_config;  ///< Tutor's config.yml

  bool Has(std::string_view component) const;
};

/// Which components a command is about: those of `only` (all when empty) without those of `exclude`.
struct ComponentSelection {
  std::set<std::string> only;
  std::set<std::string> exclude;

  bool Includes(const std::string& component) const;
};

/// Throws Error(kUsage) that names the allowed ones when a name in the selection is no component.
void CheckSelection(const ComponentSelection& selection);

using BackupSources = std::vector<std::unique_ptr<BackupSource>>;
using RestoreTargets = std::vector<std::unique_ptr<RestoreTarget>>;
using LiveComparers = std::vector<std::unique_ptr<LiveComparer>>;

/// Each makes what is configured and selected, in the order of ComponentNames(). They connect later.
/// Throws Error(kUsage) when `selection.only` names a component that the site lacks.
BackupSources MakeSources(const Site& site, const ComponentSelection& selection,
                          const RunContext& run);
RestoreTargets MakeTargets(const Site& site, const ComponentSelection& selection,
                           const RunContext& run);
LiveComparers MakeComparers(const Site& site, const ComponentSelection& selection,
                            const RunContext& run);

}  // namespace oxbackup
