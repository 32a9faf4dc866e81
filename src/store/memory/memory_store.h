// A store in memory, with faults on demand, for tests.
#pragma once

#include <cstdint>
#include <memory>
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
  bool fail_list = false;  ///< List, ListVersions, Stat, Open and Remove
  /// How many failures there are before all works again; nothing means for ever.
  std::optional<int> times = std::nullopt;
};

/// Whether a store in memory keeps what is replaced or removed, as a bucket with versioning does.
enum class MemoryVersions { kNone, kKept };

/// Keeps objects as long as it lives. Its sources and writers stay usable when it is gone.
class MemoryStore final : public Store {
 public:
  /// `clock` gives the objects' times and must outlive the store.
  explicit MemoryStore(const Clock& clock, MemoryVersions versions = MemoryVersions::kNone);

  void SetFaults(const StoreFaults& faults);
  /// How many faults have struck so far.
  int faults_struck() const;
  /// Puts an object in place as it is, also one that is damaged. Replaces, or adds a version.
  /// `modified`: when it became visible, else now.
  ObjectId Put(const std::string& name, std::string bytes,
               std::optional<TimePoint> modified = std::nullopt);
  /// What LockOf says from now on. Remove() does not ask for it.
  void SetLock(const ObjectId& id, const ObjectLock& lock);

  std::unique_ptr<ObjectWriter> Create(const std::vector<std::string>& names) override;
  std::unique_ptr<RangedSource> Open(const ObjectId& id) override;
  std::vector<ObjectInfo> List() override;
  std::vector<ObjectInfo> ListVersions() override;
  std::optional<ObjectInfo> Stat(const ObjectId& id) override;
  bool Remove(const ObjectId& id) override;
  ObjectLock LockOf(const ObjectId& id) override;
  bool KeepsVersions() override;
  std::string Location() const override { return "memory"; }

 private:
  struct State;
  class Writer;
  class Source;
  std::shared_ptr<State> state_;  // shared with writers and sources, which may live longer
};

}  // namespace oxbackup
