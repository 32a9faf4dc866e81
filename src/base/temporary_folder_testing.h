// A folder of its own for a test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace oxbackup {

/// Creates a folder below the system's temporary one and removes it with all it holds when
/// destroyed.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The whole content of a file; throws when it cannot be read.
std::string ReadTestFile(const std::filesystem::path& path);
/// Creates or replaces a file, and the folders above it.
void WriteTestFile(const std::filesystem::path& path, std::string_view bytes);

}  // namespace oxbackup
