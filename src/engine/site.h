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

/// The component that a member belongs to, ours or the predecessor's; empty for the manifest and
/// for members of no component.
std::string ComponentOfMember(std::string_view path);
/// The path below which a file component's members lie ("data/caddy"). REQUIRES: one of caddy,
/// media, config.
const char* MemberPrefix(std::string_view component);

/// A component that is not set is not part of the site.
struct Site {
  std::optional<MysqlSite> mysql;
  std::optional<MongodbSite> mongodb;
  std::optional<std::filesystem::path> caddy;         ///< Caddy's data directory
  std::vector<files::Tree> media;                     ///< media folders, each with its name
  std::optional<std::filesystem::path> tutor_config;  ///< Tutor's config.yml
  files::TreeRestoreOptions tree_restore;             ///< of all three

  bool Has(std::string_view component) const;
};

/// The folders, or the file, of a file component that the site has.
/// REQUIRES: site.Has(component), and it is one of caddy, media, config.
std::vector<files::Tree> TreesOf(const Site& site, std::string_view component);

/// Which components a command is about: those of `only` (all when empty) without those of
/// `exclude`.
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

/// Throws Error(kUsage) when `selection` names something that is no component, or wants only a
/// component that the site lacks.
void CheckConfigured(const Site& site, const ComponentSelection& selection);

/// Each makes what is configured and selected, in the order of ComponentNames(). They connect
/// later. Throws as CheckConfigured does.
BackupSources MakeSources(const Site& site, const ComponentSelection& selection,
                          const RunContext& run);
/// The targets of the whole site: an interrupted restore is finished whole, whatever is selected
/// now.
RestoreTargets MakeTargets(const Site& site, const RunContext& run);
LiveComparers MakeComparers(const Site& site, const ComponentSelection& selection,
                            const RunContext& run);

}  // namespace oxbackup
