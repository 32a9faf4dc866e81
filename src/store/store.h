// Where archives live: a folder, memory, a bucket. One conformance suite tests every kind
// (store/store_conformance_testing.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// Which object is meant: by its name alone the current one of that name, with a version or an
/// entity tag that one and no other.
struct ObjectId {
  ObjectId() = default;
  // Not explicit: most calls mean the current object of a name.
  ObjectId(std::string the_name)
      : name(std::move(the_name)) {}                  // NOLINT(google-explicit-constructor)
  ObjectId(const char* the_name) : name(the_name) {}  // NOLINT(google-explicit-constructor)

  std::string name;     ///< within the store, no folders: "backup.2026-11-22.tar.xz"
  std::string version;  ///< of a store that keeps versions; else empty
  std::string etag;     ///< changes with the content; empty where the store has none

  friend bool operator==(const ObjectId&, const ObjectId&) = default;
};

/// One stored object, or one version of it.
struct ObjectInfo : ObjectId {
  uint64_t size = 0;           ///< bytes
  TimePoint modified{};        ///< when it became visible
  bool current = true;         ///< what its name alone means
  bool delete_marker = false;  ///< no object: it says that the older versions are deleted

  friend bool operator==(const ObjectInfo&, const ObjectInfo&) = default;
};

/// What keeps an object from being removed.
struct ObjectLock {
  std::optional<TimePoint> until = std::nullopt;  ///< not before this moment
  bool held = false;                              ///< not before somebody lifts a legal hold
};

/// An object that is being written. It appears under its name only by Finish(), whole and durable;
/// destroyed before that, nothing of it is left. One thread at a time.
/// After an error the writer can only be destroyed.
class ObjectWriter : public ByteSink {
 public:
  /// The object that appeared. REQUIRES: Finish() has returned.
  virtual ObjectId id() const = 0;
  std::string name() const { return id().name; }
  /// How the store itself has proven to hold the bytes that were written ("the server's SHA-256 of
  /// every part"); empty when only reading them back would. REQUIRES: Finish() has returned.
  virtual std::string Proof() const { return {}; }
};

/// A place for objects. Thread-safe. Errors are Error(kStore), with the location in the text and a
/// hint; not finding something is a return value.
/// Names are plain (store/object_name.h): Create throws Error(kUsage) for any other name, and
/// nothing is ever found under one.
class Store {
 public:
  virtual ~Store() = default;

  /// Starts an object that Finish() makes visible under the first of `names` that is free: neither
  /// taken by then nor, in a bucket, being written by somebody else. An existing object is never
  /// replaced, also not when two writers finish at once; when all names are taken, Finish() throws
  /// Error(kStore). A store in which new objects become versions takes the first name at once.
  /// REQUIRES: names is not empty. Throws at once when the place does not exist or cannot be
  /// written.
  virtual std::unique_ptr<ObjectWriter> Create(const std::vector<std::string>& names) = 0;
  /// Opens an object for reading; nothing when there is none of that id. The source stays unchanged
  /// for its lifetime; when the object is removed meanwhile it stays readable in folders and in
  /// buckets with versions, and elsewhere reads throw.
  [[nodiscard]] virtual std::unique_ptr<RangedSource> Open(const ObjectId& id) = 0;
  /// All complete objects, by name ascending: each name's current version. Unfinished ones are not
  /// shown.
  virtual std::vector<ObjectInfo> List() = 0;
  /// All versions and delete markers, by name ascending, of one name newest first. Without versions
  /// what List() returns.
  virtual std::vector<ObjectInfo> ListVersions() { return List(); }
  [[nodiscard]] virtual std::optional<ObjectInfo> Stat(const ObjectId& id) = 0;
  /// Removes an object durably, with a version that one for ever, by name alone what the name means
  /// now (which a store with versions only hides); false when there is none of that id.
  virtual bool Remove(const ObjectId& id) = 0;
  /// What forbids Remove() now. Stores without such a thing return none.
  virtual ObjectLock LockOf(const ObjectId& /*id*/) { return {}; }
  /// Whether objects have versions, which are listed and removed one by one. That a new object
  /// becomes one does not follow: a bucket's versioning can be suspended. Throws as List().
  virtual bool KeepsVersions() { return false; }
  /// The name that Create() would take now; nothing when all are taken. Throws as Stat().
  [[nodiscard]] virtual std::optional<std::string> FreeName(const std::vector<std::string>& names) {
    if (KeepsVersions()) return names.front();
    for (const std::string& name : names) {
      if (!Stat(name)) return name;
    }
    return std::nullopt;
  }
  /// For messages: a folder or URL, without secrets.
  virtual std::string Location() const = 0;
};

}  // namespace oxbackup
