#include "cli/cmd_prune.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>

#include "cli/json_report.h"
#include "cli/prune_screens.h"
#include "engine/prune.h"

namespace oxbackup {
namespace {

PruneOptions OptionsOf(const SettingValues& settings) {
  PruneOptions options{.rules = {.last = settings.Count("keep-last").value_or(0),
                                 .hourly = settings.Count("keep-hourly").value_or(0),
                                 .daily = settings.Count("keep-daily").value_or(0),
                                 .weekly = settings.Count("keep-weekly").value_or(0),
                                 .monthly = settings.Count("keep-monthly").value_or(0),
                                 .yearly = settings.Count("keep-yearly").value_or(0),
                                 .within = settings.Span("keep-within")},
                       .damaged = settings.Switch("damaged")};
  if (options.rules.AreNone()) {
    throw Error(ErrorKind::kUsage, "no rule says which archives to keep")
        .Hint(
            "openedx-backup prune --from /backup --keep-daily 7 --keep-weekly 5 --keep-monthly 12 "
            "(--dry-run shows what that means)");
  }
  return options;
}

nlohmann::ordered_json ItemsJson(const PrunePlan& plan, bool removed) {
  auto items = nlohmann::ordered_json::array();
  for (const PruneItem& item : plan.items) {
    if (item.kept_by.empty() != removed) continue;
    nlohmann::ordered_json json = ArchiveJson(item.entry);
    if (!removed) json["kept_by"] = item.kept_by;
    items.push_back(std::move(json));
  }
  return items;
}

nlohmann::ordered_json PlanJson(const std::string& place, const PrunePlan& plan) {
  return {{"location", place},
          {"kept", ItemsJson(plan, false)},
          {"removed", ItemsJson(plan, true)},
          {"kept_bytes", plan.kept_bytes()},
          {"removed_bytes", plan.removed_bytes()}};
}

std::string RemovedText(const PrunePlan& plan, size_t planned, size_t removed) {
  if (removed == planned) return CountAndSize(removed, plan.removed_bytes());
  std::string text = fmt::format("{} of {}", removed, planned);
  if (const size_t left = planned - plan.removed(); left > 0) {
    text += fmt::format("; {} changed meanwhile and stayed", left);
  }
  if (const size_t gone = plan.removed() - removed; gone > 0) {
    text += fmt::format("; somebody else removed {}", gone);
  }
  return text;
}

/// The archives that can be restored from afterwards, by their names, as `list` has them;
/// `pruned`: those to be removed are gone.
uint64_t CountRetained(const PrunePlan& plan, bool pruned) {
  std::set<std::string> names;
  for (const PruneItem& item : plan.items) {
    const bool gone = pruned && item.kept_by.empty();
    if (item.entry.IsUsable() && !gone) names.insert(item.entry.object.name);
  }
  return names.size();
}

/// Whether to go on; shows the plan when it asks.
bool Confirm(const std::string& place, const PrunePlan& plan, CommandServices& services) {
  std::fputs(RenderPrunePlan(place, plan, StyleOf(STDERR_FILENO)).c_str(), stderr);
  return services.Ask("\nRemove them? [y/N] ");
}

}  // namespace

CommandOutcome RunPrune(const SettingValues& settings, CommandServices& services) {
  const PruneOptions options = OptionsOf(settings);
  const RunContext run = services.run();
  const Location location = OpenConfiguredLocation(settings, "from", run);
  if (location.name) {
    throw Error(ErrorKind::kUsage, "--from names one archive, and prune is about all of a place")
        .Hint("let --from name its folder");
  }
  const std::string place = location.store->Location();
  const bool dry_run = settings.Switch("dry-run");
  services.facts().location = place;
  services.facts().dry_run = dry_run;
  services.aftermath = [] { return std::string("Nothing was removed."); };
  PrunePlan plan = PlanPrune(*location.store, options, run);
  const bool ask = !dry_run && !settings.Switch("yes") && plan.removed() > 0;
  CommandOutcome outcome;
  outcome.json = PlanJson(place, plan);
  outcome.json["dry_run"] = dry_run;
  outcome.json["pruned"] = false;
  if (!ask) outcome.text = RenderPrunePlan(place, plan, services.style());
  if (dry_run) {
    outcome.text += "Nothing was removed (--dry-run).\n";
  } else if (ask && !Confirm(place, plan, services)) {
    outcome.text += "Nothing was removed.\n";
    outcome.status = ExitStatus::kInterrupted;
  } else if (plan.removed() > 0) {
    const size_t planned = plan.removed();
    const size_t removed = Prune(*location.store, plan, run);
    outcome.json.update(PlanJson(place, plan));
    outcome.json["pruned"] = true;
    outcome.text += "Removed " + RemovedText(plan, planned, removed) + ".\n";
  }
  services.facts().retained_archives = CountRetained(plan, outcome.json["pruned"]);
  return outcome;
}

}  // namespace oxbackup
