#include "engine/applied.h"

#include <fmt/format.h>

#include <chrono>

#include "base/text.h"
#include "engine/target_calls.h"

namespace oxbackup {

HeldArchives FindHeld(const std::vector<RestoreTarget*>& targets) {
  HeldArchives held;
  for (RestoreTarget* target : targets) {
    std::optional<AppliedArchive> applied =
        ForTarget(*target, "asking what is live in", [](RestoreTarget& t) { return t.Applied(); });
    if (applied) held.emplace(target->name(), *std::move(applied));
  }
  return held;
}

std::optional<AppliedArchive> HeldByAll(const HeldArchives& held,
                                        const std::vector<std::string>& components,
                                        const std::string& identity) {
  std::optional<AppliedArchive> all;
  for (const std::string& component : components) {
    const auto one = held.find(component);
    if (one == held.end() || identity.empty() || one->second.identity != identity) {
      return std::nullopt;
    }
    if (!all || all->applied < one->second.applied) all = one->second;
  }
  return all;
}

// A standby whose source has stopped its backups holds the newest one, and would be content with it
// for ever: so it is refused whether it is held or not.
void RefuseTooOld(const ArchiveEntry& archive, const AgeLimit& limit, TimePoint now,
                  const std::optional<AppliedArchive>& held) {
  if (archive.made >= Before(now, limit.span)) return;
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - archive.made);
  std::string cause = fmt::format("it was made {} ({} ago), and {} allows no older one",
                                  FormatLocal(archive.made), FormatDuration(age), limit.given);
  if (held) cause += "; it is what the site holds already";
  if (!archive.passed_over.empty()) {
    cause += fmt::format("; newer, but not whole: {}", archive.passed_over);
  }
  throw Error(ErrorKind::kNotFound,
              fmt::format("{} is too old to be restored", DescribeObject(archive.object)))
      .Cause(cause)
      .Hint(
          "see why there is no newer backup (openedx-backup list shows what there is, the source's "
          "schedule and its log say why); to restore this one all the same, raise or leave out the "
          "greatest age");
}

}  // namespace oxbackup
