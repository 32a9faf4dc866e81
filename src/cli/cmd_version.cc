#include "cli/cmd_version.h"

#include <fmt/format.h>

#include "archive/manifest.h"
#include "base/version.h"

namespace oxbackup {

std::string VersionText() {
  return fmt::format("openedx-backup {}, archive format {}\n", kVersion, kFormatVersion);
}

CommandOutcome RunVersion(const SettingValues&, CommandServices&) {
  return {.text = VersionText(),
          .json = {{"version", kVersion}, {"format_version", kFormatVersion}},
          .status = {}};
}

}  // namespace oxbackup
