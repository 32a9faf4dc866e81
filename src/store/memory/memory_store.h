// A store in memory, with faults on demand, for tests.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/store.h"

namespace oxbackup {

/// What goes wrong, each as Error(kStore).
struct StoreFaults {
  /// The Write that would bring an object to more than so many bytes fails.
  std::optional<uint64_t> fail_write_at = std::nullopt;
  bool fail_create = false;
  bool fail_finish = false;
  bool fail_read = false;  ///< ReadAt of every source, also of one that is already open
  bool fail_list = false;  ///< List, Stat, Open and Remove
  /// How many failures there are before all works again; nothing means for ever.
  std::optional<int> times = std::nullopt;
};

/// Keeps objects as long as it lives. Its sources and writers stay usable when it is gone.
class MemoryStore final : public Store {
 public:
  /// `clock` gives the objects' times and must outlive the store.
  explicit MemoryStore(const Clock& clock);

  void SetFaults(const StoreFaults& faults);
  /// How many faults have struck so far.
  int faults_struck() const;
  /// Puts an object in place as it is, also one that is damaged. Replaces.
  void Put(const std::string& name, std::string bytes);

  std::unique_ptr<ObjectWriter> Create(const std::vector<std::string>& names) override;
  std::unique_ptr<RangedSource> Open(const ObjectId& id) override;
  std::vector<ObjectInfo> List() override;
  std::optional<ObjectInfo> Stat(const ObjectId& id) override;
  bool Remove(const ObjectId& id) override;
  std::string Location() const override { return "memory"; }

 private:
  struct State;
  class Writer;
  class Source;
  std::shared_ptr<State> state_;  // shared with writers and sources, which may live longer
};

}  // namespace oxbackup
