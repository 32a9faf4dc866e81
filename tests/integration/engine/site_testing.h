// A sample site on real servers, and the real command against it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/process_testing.h"
#include "base/temporary_folder_testing.h"

namespace oxbackup {

/// Fills the testbed's MySQL and MongoDB-protocol server with a small Open edX-shaped site and two
/// trees; everything is dropped again at the end. Fails, never skips, when a server is not there.
class SiteTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Runs `openedx-backup` with the servers' settings in its environment.
  ProcessResult Engine(std::vector<std::string> arguments) const;
  /// The same, started only.
  std::unique_ptr<Process> StartEngine(std::vector<std::string> arguments) const;
  ProcessResult Backup(const std::vector<std::string>& more = {}) const;
  ProcessResult Restore(const std::vector<std::string>& more = {}) const;

  /// Runs the site generator; throws when it fails. Returns what it printed.
  std::string Generator(const std::string& command, std::vector<std::string> more = {}) const;
  /// Every table, object, collection and file with its content, a line each.
  std::string Fingerprint() const;
  /// The site as its users see it: without what a restore that was killed, or keeps old data, has
  /// beside it.
  std::string LiveFingerprint() const;
  /// Destroys the site and expects that nothing of it is left.
  void Destroy() const;
  /// Runs SQL with the stock client and returns what it prints.
  std::string Sql(const std::string& text) const;

  /// Names in the archives' folder, hidden ones included, sorted.
  std::vector<std::string> ArchiveFolder() const;
  std::string OnlyArchive() const;

  const std::filesystem::path& folder() const { return folder_.path(); }
  std::string archives() const { return (folder() / "archives").string(); }
  std::string caddy() const { return (folder() / "caddy").string(); }
  std::string media() const { return (folder() / "openedx-media").string(); }
  /// Settings of the servers, as the engine reads them.
  std::map<std::string, std::string> Environment() const;
  /// Arguments that name the trees.
  std::vector<std::string> Trees() const;
  /// A tool of the testbed, or a variable of its `env`. Throws when it is not there.
  static std::string Tool(const std::string& name);
  static std::string Variable(const std::string& name);

 private:
  TemporaryFolder folder_;
};

/// Expects the status and shows the program's output when it is another one.
::testing::AssertionResult Ended(const ProcessResult& result, int status);

}  // namespace oxbackup
