#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <utility>

#include "digest.h"
#include "fingerprint.h"

namespace sitegen {
namespace {

namespace fs = std::filesystem;

std::string FileDigest(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(fmt::format("cannot open {}", path.string()));
  Digest digest;
  std::string buffer(1 << 20, '\0');
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         file.gcount() > 0) {
    digest.Add({buffer.data(), static_cast<size_t>(file.gcount())});
  }
  if (file.bad()) throw std::runtime_error(fmt::format("cannot read {}", path.string()));
  return digest.TakeHex();
}

// What kind of thing it is, and its content.
std::string Content(const fs::path& path, const struct stat& info) {
  if (S_ISREG(info.st_mode)) return fmt::format("file {} {}", info.st_size, FileDigest(path));
  if (S_ISDIR(info.st_mode)) return "folder";
  if (S_ISLNK(info.st_mode)) return "link " + OneWord(fs::read_symlink(path).string());
  return fmt::format("special {:o}", info.st_mode & S_IFMT);
}

}  // namespace

std::string OneWord(std::string_view text) {
  std::string word;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '%') {
      word += c;
    } else {
      word += fmt::format("%{:02X}", byte);
    }
  }
  return word.empty() ? "%" : word;
}

std::vector<std::string> FingerprintFiles(const std::string& label, const std::string& folder) {
  std::vector<fs::path> paths = {folder};
  // The engine's own record, which is no part of a site.
  const fs::path record = fs::path(folder) / ".openedx-backup-applied";
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path() != record) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> lines;
  // Further names of one file are told by the first one in sorted order.
  std::map<std::pair<dev_t, ino_t>, std::string> seen;
  for (const fs::path& path : paths) {
    struct stat info;
    if (lstat(path.c_str(), &info) != 0) {
      throw std::runtime_error(fmt::format("cannot read {}: {}", path.string(), strerror(errno)));
    }
    std::string name =
        path == fs::path(folder) ? "." : OneWord(path.lexically_relative(folder).string());
    std::string first;
    if (!S_ISDIR(info.st_mode) && info.st_nlink > 1) {
      auto [place, inserted] = seen.try_emplace({info.st_dev, info.st_ino}, name);
      first = " same-as " + place->second;
    }
    lines.push_back(fmt::format("{} {} mode={:04o} owner={}:{} time={}.{:09} {}{}", label, name,
                                info.st_mode & 07777, info.st_uid, info.st_gid, info.st_mtim.tv_sec,
                                info.st_mtim.tv_nsec, Content(path, info), first));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace sitegen
