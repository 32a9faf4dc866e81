#include "base/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace oxbackup {
namespace {

TEST(FileDescriptorTest, ACheckedCloseTellsWhatCloseSays) {
  FileDescriptor whole(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(whole.CloseChecked(), 0);
  EXPECT_FALSE(whole);
  FileDescriptor broken(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::close(broken.get()), 0);
  EXPECT_EQ(broken.CloseChecked(), EBADF);
  EXPECT_FALSE(broken);
}

}  // namespace
}  // namespace oxbackup
