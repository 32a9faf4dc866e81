// What a backup refuses before it has begun, and what it tells when it fails at its end.
#include "engine/backup.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "store/counting_store_testing.h"
#include "store/memory/memory_store.h"

namespace oxbackup {
namespace {

class CountingSource final : public BackupSource {
 public:
  explicit CountingSource(int& prepared) : prepared_(prepared) {}
  std::string_view name() const override { return "caddy"; }
  void Prepare() override { ++prepared_; }
  void TakeSnapshot() override {}
  void Copy(ArchiveWriter& /*writer*/) override {}
  ComponentManifest Finish() override {
    ComponentManifest component;
    component.name = "caddy";
    return component;
  }

 private:
  int& prepared_;
};

TEST(BackupTest, ANameThatIsTakenIsRefusedBeforeAnythingIsRead) {
  TestRun test;
  MemoryStore store(test.clock);
  int prepared = 0;
  BackupSources sources;
  sources.push_back(std::make_unique<CountingSource>(prepared));
  RestoreTargets targets;
  BackupOptions options;
  options.archive.compression = ParseCompression("xz:1");
  options.name = "before-upgrade";
  EXPECT_EQ(Backup(store, sources, targets, options, test.run).name, "before-upgrade.tar.xz");
  EXPECT_EQ(prepared, 1);
  try {
    Backup(store, sources, targets, options, test.run);
    ADD_FAILURE() << "the name is taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
  }
  EXPECT_EQ(prepared, 1);
}

// Whoever says what became of the run goes by the board.
TEST(BackupTest, AnArchiveThatCannotBeOpenedAgainIsOnTheBoardAsWritten) {
  TestRun test;
  MemoryStore memory(test.clock);
  CountingStore store(memory);
  store.Lock("whole.tar.xz");
  int prepared = 0;
  BackupSources sources;
  sources.push_back(std::make_unique<CountingSource>(prepared));
  RestoreTargets targets;
  BackupOptions options;
  options.name = "whole";
  EXPECT_THROW(Backup(store, sources, targets, options, test.run), Error);
  ASSERT_TRUE(memory.Stat("whole.tar.xz"));
  const Progress::Snapshot board = test.progress.Read();
  const ComponentProgress& archive = board.components.back();
  EXPECT_EQ(archive.phase, "read back");
  EXPECT_EQ(archive.object, "whole.tar.xz");
  EXPECT_EQ(archive.expected_bytes, memory.Stat("whole.tar.xz")->size);
}

}  // namespace
}  // namespace oxbackup
