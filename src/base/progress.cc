#include "base/progress.h"

#include <utility>

namespace oxbackup {

void Progress::Begin(std::string_view component, std::string_view phase, uint64_t expected_bytes) {
  const std::lock_guard lock(mutex_);
  ComponentProgress& entry = Find(component);
  entry = ComponentProgress{.name = std::string(component),
                            .phase = std::string(phase),
                            .object = {},
                            .bytes = 0,
                            .expected_bytes = expected_bytes,
                            .items = 0,
                            .done = false};
}

void Progress::Add(std::string_view component, uint64_t bytes, uint64_t items,
                   std::string_view object) {
  const std::lock_guard lock(mutex_);
  ComponentProgress& entry = Find(component);
  entry.bytes += bytes;
  entry.items += items;
  if (!object.empty()) entry.object = object;
}

void Progress::Done(std::string_view component) {
  const std::lock_guard lock(mutex_);
  Find(component).done = true;
}

void Progress::Note(std::string_view title, std::string text) {
  const std::lock_guard lock(mutex_);
  for (auto& [known, old] : state_.notes) {
    if (known != title) continue;
    old = std::move(text);
    return;
  }
  state_.notes.emplace_back(std::string(title), std::move(text));
}

Progress::Snapshot Progress::Read() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

ComponentProgress& Progress::Find(std::string_view component) {
  for (ComponentProgress& entry : state_.components) {
    if (entry.name == component) return entry;
  }
  ComponentProgress& entry = state_.components.emplace_back();
  entry.name = component;
  return entry;
}

}  // namespace oxbackup
