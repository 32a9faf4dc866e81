#include "store/memory/memory_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "store/object_name.h"

namespace oxbackup {

struct MemoryStore::State {
  struct Object {
    std::shared_ptr<const std::string> bytes;  // nullptr: a delete marker
    TimePoint modified;
    std::string version;
    ObjectLock lock;
  };
  using Objects = std::vector<Object>;  // of one name, the current one last; never empty

  State(const Clock& the_clock, MemoryVersions versions)
      : clock(the_clock), keeps_versions(versions == MemoryVersions::kKept) {}

  // REQUIRES, as all below: the mutex is held.
  void Strike(bool fault, const std::string& what) {
    if (!fault || faults.times == 0) return;
    if (faults.times) --*faults.times;
    ++struck;
    throw Error(ErrorKind::kStore, fmt::format("memory: cannot {}", what))
        .Cause("a fault that the test asked for");
  }

  ObjectId Add(const std::string& name, std::shared_ptr<const std::string> bytes,
               TimePoint modified) {
    Objects& objects_of_name = objects[name];
    if (!keeps_versions) objects_of_name.clear();
    std::string version = keeps_versions ? fmt::format("v{}", ++versions_made) : "";
    objects_of_name.push_back({std::move(bytes), modified, version, {}});
    ObjectId id(name);
    id.version = std::move(version);
    return id;
  }

  // nullptr when there is none of that id. A delete marker is found by its version alone.
  Object* Find(const ObjectId& id) {
    const auto of_name = objects.find(id.name);
    if (of_name == objects.end() || !id.etag.empty()) return nullptr;
    Object& current = of_name->second.back();
    if (id.version.empty()) return current.bytes == nullptr ? nullptr : &current;
    const auto found = std::ranges::find(of_name->second, id.version, &Object::version);
    return found == of_name->second.end() ? nullptr : &*found;
  }

  static ObjectInfo InfoOf(const std::string& name, const Object& object, bool current) {
    ObjectInfo info;
    info.name = name;
    info.version = object.version;
    info.size = object.bytes == nullptr ? 0 : object.bytes->size();
    info.modified = object.modified;
    info.current = current;
    info.delete_marker = object.bytes == nullptr;
    return info;
  }

  const Clock& clock;
  const bool keeps_versions;
  mutable std::mutex mutex;
  std::map<std::string, Objects> objects;  // guarded by mutex
  int versions_made = 0;                   // guarded by mutex
  StoreFaults faults;                      // guarded by mutex
  int struck = 0;                          // guarded by mutex
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
      if (!state_->keeps_versions && state_->objects.contains(name)) continue;
      id_ = state_->Add(name, std::make_shared<const std::string>(std::move(bytes_)),
                        state_->clock.Now());
      return;
    }
    throw Error(ErrorKind::kStore, fmt::format("memory already has objects of these names: {}",
                                               fmt::join(names_, ", ")))
        .Hint("choose another name");
  }

  ObjectId id() const override { return id_; }

 private:
  std::shared_ptr<State> state_;
  std::vector<std::string> names_;
  std::string bytes_;
  ObjectId id_;
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

MemoryStore::MemoryStore(const Clock& clock, MemoryVersions versions)
    : state_(std::make_shared<State>(clock, versions)) {}

void MemoryStore::SetFaults(const StoreFaults& faults) {
  const std::lock_guard lock(state_->mutex);
  state_->faults = faults;
}

int MemoryStore::faults_struck() const {
  const std::lock_guard lock(state_->mutex);
  return state_->struck;
}

ObjectId MemoryStore::Put(const std::string& name, std::string bytes,
                          std::optional<TimePoint> modified) {
  const std::lock_guard lock(state_->mutex);
  return state_->Add(name, std::make_shared<const std::string>(std::move(bytes)),
                     modified.value_or(state_->clock.Now()));
}

void MemoryStore::SetLock(const ObjectId& id, const ObjectLock& lock) {
  const std::lock_guard guard(state_->mutex);
  if (State::Object* const object = state_->Find(id)) object->lock = lock;
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
  const State::Object* const object = state_->Find(id);
  if (object == nullptr || object->bytes == nullptr) return nullptr;
  return std::make_unique<Source>(state_, object->bytes, id.name);
}

std::vector<ObjectInfo> MemoryStore::List() {
  const std::lock_guard lock(state_->mutex);
  state_->Strike(state_->faults.fail_list, "list");
  std::vector<ObjectInfo> list;
  for (const auto& [name, objects] : state_->objects) {
    if (objects.back().bytes != nullptr) list.push_back(State::InfoOf(name, objects.back(), true));
  }
  return list;
}

std::vector<ObjectInfo> MemoryStore::ListVersions() {
  const std::lock_guard lock(state_->mutex);
  state_->Strike(state_->faults.fail_list, "list");
  std::vector<ObjectInfo> list;
  for (const auto& [name, objects] : state_->objects) {
    for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
      list.push_back(State::InfoOf(name, *object, object == objects.rbegin()));
    }
  }
  return list;
}

std::optional<ObjectInfo> MemoryStore::Stat(const ObjectId& id) {
  const std::lock_guard lock(state_->mutex);
  state_->Strike(state_->faults.fail_list, "stat");
  const State::Object* const object = state_->Find(id);
  if (object == nullptr) return std::nullopt;
  return State::InfoOf(id.name, *object, object == &state_->objects[id.name].back());
}

bool MemoryStore::Remove(const ObjectId& id) {
  const std::lock_guard lock(state_->mutex);
  state_->Strike(state_->faults.fail_list, "remove");
  const State::Object* const object = state_->Find(id);
  if (object == nullptr) return false;
  State::Objects& of_name = state_->objects[id.name];
  if (state_->keeps_versions && id.version.empty()) {
    state_->Add(id.name, nullptr, state_->clock.Now());
  } else {
    of_name.erase(of_name.begin() + (object - of_name.data()));
    if (of_name.empty()) state_->objects.erase(id.name);
  }
  return true;
}

ObjectLock MemoryStore::LockOf(const ObjectId& id) {
  const std::lock_guard lock(state_->mutex);
  const State::Object* const object = state_->Find(id);
  return object == nullptr ? ObjectLock() : object->lock;
}

bool MemoryStore::KeepsVersions() { return state_->keeps_versions; }

}  // namespace oxbackup
