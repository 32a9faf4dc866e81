// Files that are read whole: secrets, tokens, settings.
#pragma once

#include <string>

namespace oxbackup {

/// A small file's bytes, or why there are none.
struct FileText {
  std::string text = {};
  int error = 0;  ///< an error number: EFBIG above a megabyte, EISDIR for a folder
};
/// `path`: a file, or a pipe, which is read to its end. Any thread.
FileText ReadSmallFile(const std::string& path);
/// What to do about such an error.
std::string HintForFile(int error);

}  // namespace oxbackup
