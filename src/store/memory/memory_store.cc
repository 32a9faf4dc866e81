#include "store/memory/memory_store.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/error.h"
#include "store/object_name.h"

namespace oxbackup {

struct MemoryStore::State {
  struct Object {
    std::shared_ptr<const std::string> bytes;
    TimePoint modified;
  };

  explicit State(const Clock& the_clock) : clock(the_clock) {}

  // REQUIRES: the mutex is held.
  void Strike(bool fault, const std::string& what) {
    if (!fault || faults.times == 0) return;
    if (faults.times) --*faults.times;
    ++struck;
    throw Error(ErrorKind::kStore, fmt::format("memory: cannot {}", what))
        .Cause("a fault that the test asked for");
  }

  static ObjectInfo InfoOf(const std::string& name, const Object& object) {
    ObjectInfo info;
    info.name = name;
    info.size = object.bytes->size();
    info.modified = object.modified;
    return info;
  }

  const Clock& clock;
  mutable std::mutex mutex;
  std::map<std::string, Object> objects;  // guarded by mutex
  StoreFaults faults;                     // guarded by mutex
  int struck = 0;                         // guarded by mutex
};

class MemoryStore::Writer final : public ObjectWriter {
 public:
  Writer(std::shared_ptr<State> state, std::vector<std::string> names)
      : state_(std::move(state)), names_(std::move(names)) {}

  void Write(std::string_view bytes) override {
    {
      const std::lock_guard lock(state_->mutex);
      const std::optional<uint64_t> limit = state_->faults.fail_write_at;
      state_->Strike(limit && bytes_.size() + bytes.size() > *limit, "write");
    }
    bytes_.append(bytes);
  }

  void Finish() override {
    const std::lock_guard lock(state_->mutex);
    state_->Strike(state_->faults.fail_finish, "finish");
    for (const std::string& name : names_) {
      if (state_->objects.contains(name)) continue;
      name_ = name;
      state_->objects[name] = {std::make_shared<const std::string>(std::move(bytes_)),
                               state_->clock.Now()};
      return;
    }
    throw Error(ErrorKind::kStore, fmt::format("memory already has objects of these names: {}",
                                               fmt::join(names_, ", ")))
        .Hint("choose another name");
  }

  ObjectId id() const override { return name_; }

 private:
  std::shared_ptr<State> state_;
  std::vector<std::string> names_;
  std::string bytes_;
  std::string name_;
};

class MemoryStore::Source final : public RangedSource {
 public:
  Source(std::shared_ptr<State> state, std::shared_ptr<const std::string> bytes, std::string name)
      : state_(std::move(state)), bytes_(std::move(bytes)), name_(std::move(name)) {}

  uint64_t Size() const override { return bytes_->size(); }
  void ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    {
      const std::lock_guard lock(state_->mutex);
      state_->Strike(state_->faults.fail_read, "read");
    }
    if (offset > bytes_->size() || size > bytes_->size() - offset) {
      throw Error(ErrorKind::kCorrupt, fmt::format("{} ends early: it has {} bytes, {} were wanted",
                                                   Name(), bytes_->size(), offset + size));
    }
    if (size > 0) std::memcpy(buffer, bytes_->data() + offset, size);
  }
  std::string Name() const override { return "memory/" + name_; }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<const std::string> bytes_;
  std::string name_;
};

MemoryStore::MemoryStore(const Clock& clock) : state_(std::make_shared<State>(clock)) {}

void MemoryStore::SetFaults(const StoreFaults& faults) {
  const std::lock_guard lock(state_->mutex);
  state_->faults = faults;
}

int MemoryStore::faults_struck() const {
  const std::lock_guard lock(state_->mutex);
  return state_->struck;
}

void MemoryStore::Put(const std::string& name, std::string bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->objects[name] = {std::make_shared<const std::string>(std::move(bytes)),
                           state_->clock.Now()};
}

std::unique_ptr<ObjectWriter> MemoryStore::Create(const std::vector<std::string>& names) {
  CheckObjectNames(names);
  const std::lock_guard lock(state_->mutex);
  state_->Strike(state_->faults.fail_create, "create an object");
  return std::make_unique<Writer>(state_, names);
}

std::unique_ptr<RangedSource> MemoryStore::Open(const ObjectId& id) {
  const std::lock_guard lock(state_->mutex);
  state_->Strike(state_->faults.fail_list, "open");
  const auto found = state_->objects.find(id.name);
  if (found == state_->objects.end()) return nullptr;
  return std::make_unique<Source>(state_, found->second.bytes, id.name);
}

std::vector<ObjectInfo> MemoryStore::List() {
  const std::lock_guard lock(state_->mutex);
  state_->Strike(state_->faults.fail_list, "list");
  std::vector<ObjectInfo> list;
  for (const auto& [name, object] : state_->objects) {
    list.push_back(State::InfoOf(name, object));
  }
  return list;
}

std::optional<ObjectInfo> MemoryStore::Stat(const ObjectId& id) {
  const std::lock_guard lock(state_->mutex);
  state_->Strike(state_->faults.fail_list, "stat");
  const auto found = state_->objects.find(id.name);
  if (found == state_->objects.end()) return std::nullopt;
  return State::InfoOf(found->first, found->second);
}

bool MemoryStore::Remove(const ObjectId& id) {
  const std::lock_guard lock(state_->mutex);
  state_->Strike(state_->faults.fail_list, "remove");
  return state_->objects.erase(id.name) > 0;
}

}  // namespace oxbackup
