#include "engine/target_calls.h"

namespace oxbackup {

void CloseAll(const std::vector<RestoreTarget*>& targets, bool keep_old) {
  for (RestoreTarget* target : targets) {
    try {
      ForTarget(*target, "closing the swap of", [&](RestoreTarget& t) { t.CloseSwap(keep_old); });
    } catch (Error& error) {
      error.Hint(
          "the restored data are live; mend the cause and run any openedx-backup command with the "
          "same settings: it removes what is left");
      throw;
    }
  }
}

}  // namespace oxbackup
