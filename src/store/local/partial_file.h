// The hidden file that an archive is written to before it has its name.
#pragma once

#include <string>

#include "base/file_descriptor.h"

namespace oxbackup {

/// An unfinished object: ".<name>.<pid>-<random>.partial" in the folder that it will appear in. It
/// is locked (flock) as long as its writer lives, and removed by the destructor; what a killed
/// writer leaves is recognised by its name and its missing lock.
class PartialFile {
 public:
  /// Creates the file, mode 0600. `folder` must stay open as long as this object lives;
  /// `folder_name` is for messages. Throws Error(kStore) when the folder cannot be written.
  PartialFile(int folder, const std::string& folder_name, const std::string& object_name);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  int fd() const { return file_.get(); }
  const std::string& name() const { return name_; }
  /// Tells that the file has another name now, so that nothing is left to be removed.
  void Published() { name_.clear(); }

 private:
  bool TryCreate(const std::string& folder_name);

  int folder_;
  std::string name_;
  FileDescriptor file_;
};

/// Removes the partial files of writers that are dead; those of living ones, also of other
/// processes, stay. On file systems without locks nothing is removed.
void RemoveDeadPartialFiles(int folder);

}  // namespace oxbackup
