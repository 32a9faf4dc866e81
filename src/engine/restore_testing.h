// A site of files with archives in memory, for tests of restores that fail, die or are undone.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "engine/restore.h"
#include "engine/site.h"
#include "engine/undo.h"
#include "store/memory/memory_store.h"

namespace oxbackup {

/// Called with the name of a target's call before that has done anything; what it throws ends it.
using Fault = std::function<void(const std::string& call)>;

/// Called before each step that changes the disk.
using BeforeStep = std::function<void(const std::string& step)>;

/// Runs `body` in a process of its own that dies, as by kill -9, before the step of that number.
/// True: it died so. False: `body` came to its end. An error of its own fails the test.
bool DiesAt(int fatal_step, const std::function<void(const BeforeStep& before_step)>& body);

/// Caddy's folder, two media folders and config.yml, each with one file that says which state it
/// has.
class RestoreFixture : public testing::Test {
 protected:
  RestoreFixture();

  void Write(const std::string& tree, const std::string& content);
  void WriteAll(const std::string& content);
  std::string Read(const std::string& tree) const;
  /// The content of all four, joined by '|'; of one that is not there, "".
  std::string ReadAll() const;

  Site SiteWith(const std::vector<std::string>& media) const;
  std::string BackUp(const std::vector<std::string>& media, const std::string& name);
  /// Of the whole site; that of the component `failing` calls `fault` first.
  RestoreTargets Targets(const std::string& failing = "", const Fault& fault = {});
  RestoreTargets SteppingTargets(const BeforeStep& before_step);
  void RestoreFrom(const std::string& archive, RestoreTargets targets, bool keep_old = false,
                   std::set<std::string> only = {});
  /// The sentences of an undo that is answered by yes.
  std::vector<std::string> UndoAll(RestoreTargets targets, std::set<std::string> only = {});
  /// The error of such an undo.
  Error UndoError(RestoreTargets targets);
  std::vector<std::string> FinishAll();
  /// Everything of ours that is beside the live data, but what tells which archive they are of.
  std::vector<std::string> LeftBehind() const;
  /// Which archive each component holds by its own record, "caddy=archive.tar.xz", of those that
  /// have one. Fails the test unless their live data are those of that archive, byte by byte: not
  /// to be called after something else was written.
  std::vector<std::string> HeldNow();

  TestRun test_;
  TemporaryFolder folder_;
  MemoryStore store_{test_.clock};
  /// By archive and tree, what BackUp has put into it.
  std::map<std::string, std::map<std::string, std::string>> contents_;
};

}  // namespace oxbackup
