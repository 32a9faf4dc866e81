#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "cli/exit_status.h"
#include "cli/generate.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;

std::string OperationsDocument() {
  std::ifstream file(OPENEDX_BACKUP_FIXTURES "/../../docs/operations.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(OperationsDocumentTest, HoldsTheTableOfSettingsAsItIsNow) {
  EXPECT_THAT(OperationsDocument(),
              HasSubstr("compares them -->\n\n" + SettingsTable() + "\n<!-- end"))
      << "put the output of `openedx-backup generate settings` between the two comments";
}

TEST(OperationsDocumentTest, HoldsEveryExitStatus) {
  for (const ExitStatusText& status : kExitStatuses) {
    EXPECT_THAT(OperationsDocument(),
                HasSubstr("| " + std::to_string(static_cast<int>(status.status)) + " | `" +
                          std::string(status.name) + "` |"));
  }
}

}  // namespace
}  // namespace oxbackup
