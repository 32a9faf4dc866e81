// Our archives are ordinary ones: the tools that everybody has accept and unpack them.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "archive/archive_testing.h"
#include "base/run_context_testing.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

// Returns the exit status. No shell takes part.
int RunTool(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return -1;
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class StockTools : public testing::Test {
 protected:
  StockTools() {
    std::string name = (fs::temp_directory_path() / "stock-tools-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~StockTools() override { fs::remove_all(folder_); }

  std::string Write(const std::string& compression, const std::string& name) {
    TestRun test;
    std::ofstream(folder_ / name, std::ios::binary) << WriteArchive(
        compression,
        {EveryKindOfMember(), {MakeFile("data/sql", sql_)}, {MakeFile("data/jpg", jpg_)}},
        test.run);
    return (folder_ / name).string();
  }

  void ExpectUnpacks(const std::string& archive) {
    const fs::path out = folder_ / "out";
    fs::create_directory(out);
    ASSERT_EQ(RunTool({"tar", "--warning=no-unknown-keyword", "--no-same-owner", "-xf", archive,
                       "-C", out.string()}),
              0);
    const auto content = [&](const char* name) {
      std::ifstream file(out / "data" / name, std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(file), {});
    };
    EXPECT_EQ(content("sql"), sql_);
    EXPECT_EQ(content("jpg"), jpg_);
    EXPECT_EQ(content("caddy/e\xCC\x81 decomposed"), "as a Mac names it");
    EXPECT_EQ(content("caddy/\xE9 latin 1"), "no UTF-8");
    EXPECT_TRUE(fs::exists(out / "data/manifest.json"));
    EXPECT_EQ(fs::hard_link_count(out / "data/caddy/same"), 2);
  }

  fs::path folder_;
  const std::string sql_ = SqlText(3'000'000, 1);
  const std::string jpg_ = RandomBytes(1'200'000, 2);
};

TEST_F(StockTools, XzAndTar) {
  const std::string archive = Write("xz", "a.tar.xz");
  EXPECT_EQ(RunTool({"xz", "-t", archive}), 0);
  ExpectUnpacks(archive);
}

TEST_F(StockTools, ZstdAndTar) {
  const std::string archive = Write("zstd", "a.tar.zst");
  EXPECT_EQ(RunTool({"zstd", "-q", "-t", archive}), 0);
  ExpectUnpacks(archive);
}

TEST_F(StockTools, TarAlone) { ExpectUnpacks(Write("none", "a.tar")); }

}  // namespace
}  // namespace oxbackup
