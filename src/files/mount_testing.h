// Mounts for tests of this layer.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace oxbackup::files {

/// Runs `body` in a child with mounts of its own; fails loudly where that is not allowed.
template <class Body>
void WithPrivateMounts(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
    try {
      body();
    } catch (...) {
      ADD_FAILURE() << "an exception left the body";
    }
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_NE(WEXITSTATUS(status), 77) << "this test needs mounts of its own: run it as root";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// Inside of WithPrivateMounts alone, as the next one: an empty file system at `path`.
inline void MountOver(const std::filesystem::path& path) {
  std::filesystem::create_directories(path);
  if (::mount("tmpfs", path.c_str(), "tmpfs", 0, "mode=755") != 0) ::_exit(77);
}

/// `folder` at `path`, too.
inline void MountFolder(const std::filesystem::path& folder, const std::filesystem::path& path) {
  std::filesystem::create_directories(path);
  if (::mount(folder.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) ::_exit(77);
}

}  // namespace oxbackup::files
