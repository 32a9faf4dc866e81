#include "engine/target_calls.h"

#include <utility>

#include "engine/archive_list.h"

namespace oxbackup {

std::unique_ptr<ArchiveReader> Reopen(Store& store, const ObjectId& archive,
                                      const RunContext& run) {
  std::unique_ptr<RangedSource> source = store.Open(archive);
  if (source == nullptr) throw GoneError(archive.name, store);
  return OpenArchive(std::move(source), run);
}

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
