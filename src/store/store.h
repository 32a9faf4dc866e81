// Where archives live: a folder, memory, a bucket. One conformance suite tests every kind
// (store/store_conformance_testing.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// One stored object.
struct ObjectInfo {
  std::string name;      ///< within the store, no folders: "backup.2026-11-22.tar.xz"
  uint64_t size = 0;     ///< bytes
  TimePoint modified{};  ///< when it became visible

  friend bool operator==(const ObjectInfo&, const ObjectInfo&) = default;
};

/// An object that is being written. It appears under its name only by Finish(), whole and durable;
/// destroyed before that, nothing of it is left. One thread at a time.
/// A Write or Finish that throws an Error with transient() has left the writer as it was before the
/// call, so the same call may be made again (store/retry does); after any other error the writer
/// can only be destroyed.
class ObjectWriter : public ByteSink {
 public:
  /// The name under which the object appeared. REQUIRES: Finish() has returned.
  virtual std::string name() const = 0;
};

/// A place for objects. Thread-safe. Errors are Error(kStore), with the location in the text and a
/// hint, and transient() where a later try may succeed; not finding something is a return value.
/// Names are plain (store/object_name.h): Create throws Error(kUsage) for any other name, and
/// nothing is ever found under one.
class Store {
 public:
  virtual ~Store() = default;

  /// Starts an object that Finish() makes visible as the first of `names` that is not taken by
  /// then. An existing object is never replaced, also not when two writers finish at once; when all
  /// names are taken, Finish() throws Error(kStore). REQUIRES: names is not empty. Throws at once
  /// when the place does not exist or cannot be written.
  virtual std::unique_ptr<ObjectWriter> Create(const std::vector<std::string>& names) = 0;
  /// Opens an object for reading; nothing when there is none of that name. The source stays
  /// readable and unchanged for its lifetime even when the object is removed meanwhile.
  [[nodiscard]] virtual std::unique_ptr<RangedSource> Open(const std::string& name) = 0;
  /// All complete objects, by name ascending. Unfinished ones are not shown.
  virtual std::vector<ObjectInfo> List() = 0;
  [[nodiscard]] virtual std::optional<ObjectInfo> Stat(const std::string& name) = 0;
  /// Removes an object durably; false when there is none of that name.
  virtual bool Remove(const std::string& name) = 0;
  /// For messages: a folder or URL, without secrets.
  virtual std::string Location() const = 0;
};

}  // namespace oxbackup
