// A store that counts what is opened, and neither opens nor removes what a test says.
#pragma once

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace oxbackup {

/// Passes everything on to `store`, which must outlive it. Lock before other threads use it.
class CountingStore final : public Store {
 public:
  explicit CountingStore(Store& store) : store_(store) {}

  int opened() const { return opened_; }
  /// Opening an object of that name fails from now on.
  void Lock(const std::string& name) { locked_.insert(name); }
  /// So does its removal.
  void RefuseToRemove(const std::string& name) { kept_.insert(name); }

  std::unique_ptr<ObjectWriter> Create(const std::vector<std::string>& names) override {
    return store_.Create(names);
  }
  std::unique_ptr<RangedSource> Open(const ObjectId& id) override {
    ++opened_;
    if (locked_.contains(id.name)) {
      throw Error(ErrorKind::kStore, "the store is locked").Cause("a test asked for that");
    }
    return store_.Open(id);
  }
  std::vector<ObjectInfo> List() override { return store_.List(); }
  std::vector<ObjectInfo> ListVersions() override { return store_.ListVersions(); }
  std::optional<ObjectInfo> Stat(const ObjectId& id) override { return store_.Stat(id); }
  bool Remove(const ObjectId& id) override {
    if (kept_.contains(id.name)) throw Error(ErrorKind::kStore, "refused").Cause("it is protected");
    return store_.Remove(id);
  }
  ObjectLock LockOf(const ObjectId& id) override { return store_.LockOf(id); }
  std::optional<std::string> FreeName(const std::vector<std::string>& names) override {
    return store_.FreeName(names);
  }
  bool KeepsVersions() override { return store_.KeepsVersions(); }
  std::string Location() const override { return store_.Location(); }

 private:
  Store& store_;
  std::set<std::string> locked_;
  std::set<std::string> kept_;
  std::atomic<int> opened_ = 0;
};

}  // namespace oxbackup
