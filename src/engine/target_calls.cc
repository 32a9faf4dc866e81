#include "engine/target_calls.h"

namespace oxbackup {

void CloseAll(const std::vector<RestoreTarget*>& targets, bool keep_old) {
  for (RestoreTarget* target : targets) {
    try {
      ForTarget(*target, "closing the swap of", [&](RestoreTarget& t) { t.CloseSwap(keep_old); });
    } catch (Error& error) {
      error.Outcome(
          "The restored data are live; the next restore with the same settings removes "
          "what is left of the old ones.");
      throw;
    }
  }
}

}  // namespace oxbackup
