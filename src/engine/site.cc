#include "engine/site.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "mongodb/live_compare.h"
#include "mysql/live_compare.h"

namespace oxbackup {
namespace {

constexpr char kMysql[] = "mysql";
constexpr char kMongodb[] = "mongodb";
constexpr char kCaddy[] = "caddy";
constexpr char kMedia[] = "media";
constexpr char kConfig[] = "config";

// The member prefix of each file component (docs/format.md).
constexpr char kCaddyPrefix[] = "data/caddy";
constexpr char kMediaPrefix[] = "data/media";
constexpr char kConfigPrefix[] = "data/tutor";

// Calls one of the three makers for each component that is configured and selected.
template <class Made, class MakeMysql, class MakeMongodb, class MakeTree>
std::vector<std::unique_ptr<Made>> MakeEach(const Site& site, const ComponentSelection& selection,
                                            const MakeMysql& make_mysql,
                                            const MakeMongodb& make_mongodb,
                                            const MakeTree& make_tree) {
  CheckConfigured(site, selection);
  std::vector<std::unique_ptr<Made>> made;
  for (const std::string& name : ComponentNames()) {
    if (!site.Has(name) || !selection.Includes(name)) continue;
    if (name == kMysql) {
      made.push_back(make_mysql(*site.mysql));
    } else if (name == kMongodb) {
      made.push_back(make_mongodb(*site.mongodb));
    } else {
      made.push_back(make_tree(name, MemberPrefix(name), TreesOf(site, name)));
    }
  }
  return made;
}

}  // namespace

const std::vector<std::string>& ComponentNames() {
  static const std::vector<std::string> names = {kMysql, kMongodb, kCaddy, kMedia, kConfig};
  return names;
}

std::string ComponentOfMember(std::string_view path) {
  if (path.starts_with("data/mysql_dump")) return kMysql;
  if (path.starts_with("data/mongodb_dump")) return kMongodb;
  for (const char* component : {kCaddy, kMedia, kConfig}) {
    if (path.starts_with(MemberPrefix(component))) return component;
  }
  return {};
}

const char* MemberPrefix(std::string_view component) {
  if (component == kCaddy) return kCaddyPrefix;
  if (component == kConfig) return kConfigPrefix;
  return kMediaPrefix;
}

bool Site::Has(std::string_view component) const {
  if (component == kMysql) return mysql.has_value();
  if (component == kMongodb) return mongodb.has_value();
  if (component == kCaddy) return caddy.has_value();
  if (component == kMedia) return !media.empty();
  return component == kConfig && tutor_config.has_value();
}

std::vector<files::Tree> TreesOf(const Site& site, std::string_view component) {
  if (component == kCaddy) return {files::Tree{"", *site.caddy}};
  if (component == kConfig) return {files::Tree{"config.yml", *site.tutor_config}};
  return site.media;
}

bool ComponentSelection::Includes(const std::string& component) const {
  return (only.empty() || only.contains(component)) && !exclude.contains(component);
}

void CheckSelection(const ComponentSelection& selection) {
  for (const std::set<std::string>* names : {&selection.only, &selection.exclude}) {
    for (const std::string& name : *names) {
      if (std::ranges::count(ComponentNames(), name) > 0) continue;
      throw Error(ErrorKind::kUsage, fmt::format("there is no component '{}'", name))
          .Hint(fmt::format("components are: {}", fmt::join(ComponentNames(), ", ")));
    }
  }
}

void CheckConfigured(const Site& site, const ComponentSelection& selection) {
  CheckSelection(selection);
  for (const std::string& name : selection.only) {
    if (site.Has(name)) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("component '{}' is selected but not configured", name))
        .Hint(fmt::format(
            "give its settings (openedx-backup backup --help shows those of {}), or leave "
            "it out of --only",
            name));
  }
}

BackupSources MakeSources(const Site& site, const ComponentSelection& selection,
                          const RunContext& run) {
  return MakeEach<BackupSource>(
      site, selection,
      [&](const MysqlSite& part) { return mysql::MakeBackupSource(part.connect, part.dump, run); },
      [&](const MongodbSite& part) {
        return mongodb::MakeBackupSource(part.connect, part.dump, run);
      },
      [&](const std::string& name, const char* prefix, std::vector<files::Tree> trees) {
        return files::MakeTreeSource(name, prefix, std::move(trees), run);
      });
}

RestoreTargets MakeTargets(const Site& site, const RunContext& run) {
  return MakeEach<RestoreTarget>(
      site, ComponentSelection{},
      [&](const MysqlSite& part) {
        return mysql::MakeRestoreTarget(part.connect, part.restore, run);
      },
      [&](const MongodbSite& part) {
        return mongodb::MakeRestoreTarget(part.connect, part.restore, run);
      },
      [&](const std::string& name, const char* prefix, std::vector<files::Tree> trees) {
        return files::MakeTreeTarget(name, prefix, std::move(trees), site.tree_restore, run);
      });
}

LiveComparers MakeComparers(const Site& site, const ComponentSelection& selection,
                            const RunContext& run) {
  return MakeEach<LiveComparer>(
      site, selection,
      [&](const MysqlSite& part) {
        return mysql::MakeLiveComparer(part.connect, part.dump.snapshot.readers, run);
      },
      [&](const MongodbSite& part) {
        return mongodb::MakeLiveComparer(part.connect, part.dump.readers, run);
      },
      [&](const std::string& name, const char*, std::vector<files::Tree> trees) {
        return files::MakeTreeComparer(name, std::move(trees), run);
      });
}

}  // namespace oxbackup
