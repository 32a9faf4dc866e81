// Reaching files below a folder without ever following a link.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/file_descriptor.h"

namespace oxbackup::files {

/// Opens folders by paths relative to a root, part by part and without following links, so that
/// nobody who changes the tree meanwhile can lead us out of it; also works for paths of any length.
/// The last folder is kept open, since neighbours follow each other. One thread at a time.
class FolderCursor {
 public:
  /// `root` must stay open as long as the cursor lives.
  explicit FolderCursor(int root) : root_(root) {}

  /// The folder at `path` ("" is the root), to be used with the …at() calls until the next call.
  /// -1 with errno set when it cannot be opened (ELOOP or ENOTDIR: a part is a link or a file).
  [[nodiscard]] int Open(std::string_view path);
  /// The same; missing folders are made with mode 0700.
  [[nodiscard]] int OpenOrMake(std::string_view path);
  /// Forgets the kept folder, e.g. because it was renamed.
  void Reset();

 private:
  int OpenFrom(std::string_view path, bool make);

  int root_;
  std::string path_;
  FileDescriptor folder_;
};

/// "a/b/c" -> "a/b" and "c"; "c" -> "" and "c".
std::pair<std::string_view, std::string_view> SplitLast(std::string_view path);

}  // namespace oxbackup::files
