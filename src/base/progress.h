// What a run is doing right now, told by the workers and read by whoever shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace oxbackup {

/// The phase of a component whose turn has not come.
inline constexpr char kWaitingPhase[] = "waiting";

/// How far one component ("mysql", "media", "archive", …) has come.
struct ComponentProgress {
  std::string name;
  std::string phase;            ///< "dump", "load", "index", "verify", "swap", …
  std::string object;           ///< table, collection or file that was last touched
  uint64_t bytes = 0;           ///< raw bytes handled so far in this phase
  uint64_t expected_bytes = 0;  ///< an estimate; 0 when unknown
  uint64_t items = 0;           ///< rows, documents or files so far
  bool done = false;
};

/// Thread-safe board on which workers write and a display reads. Cheap enough to be called once a
/// chunk (not once a row).
class Progress {
 public:
  /// Starts a phase of a component: its counters begin at zero. Components are shown in the order
  /// in which they first appear.
  void Begin(std::string_view component, std::string_view phase, uint64_t expected_bytes);
  void Add(std::string_view component, uint64_t bytes, uint64_t items, std::string_view object);
  void Done(std::string_view component);
  /// A fact for the operator about the run as a whole, e.g. how consistency was reached. One of the
  /// same title takes the place of the one before.
  void Note(std::string_view title, std::string text);

  struct Snapshot {
    std::vector<ComponentProgress> components;
    std::vector<std::pair<std::string, std::string>> notes;
  };
  Snapshot Read() const;

 private:
  ComponentProgress& Find(std::string_view component);

  mutable std::mutex mutex_;
  Snapshot state_;  // guarded by mutex_
};

}  // namespace oxbackup
