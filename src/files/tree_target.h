// A restore of the folders of one component. Private to tree_target.cc (records and swaps) and
// tree_load.cc (from the plan to the comparison).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"
#include "files/tree.h"
#include "files/tree_digest.h"
#include "files/tree_extractor.h"
#include "files/tree_group.h"
#include "files/tree_paths.h"
#include "files/tree_swap.h"

namespace oxbackup::files {

/// What a restore knows about one tree between its calls.
struct TreeWork {
  TreeWork(const Tree& the_tree, const std::string& member_prefix,
           const TreeSwap::BeforeStep& before_step, Warnings& warnings)
      : tree(the_tree),
        member_path(TreeMemberPath(member_prefix, the_tree)),
        swap(the_tree.path, before_step, warnings) {}

  Tree tree;
  std::string member_path;
  TreeSwap swap;
  FileDescriptor fresh;
  std::unique_ptr<TreeExtractor> extractor;
  TreeDigest loaded;
  bool in_archive = false;
};

/// As RestoreTarget says.
class TreeTarget final : public RestoreTarget {
 public:
  TreeTarget(std::string component, std::string member_prefix, std::vector<Tree> trees,
             TreeRestoreOptions options, const RunContext& run)
      : component_(std::move(component)),
        member_prefix_(std::move(member_prefix)),
        trees_(std::move(trees)),
        options_(std::move(options)),
        run_(run) {}

  std::string_view name() const override { return component_; }

  std::optional<OpenSwap> FindOpenSwap() override;
  std::optional<OpenSwap> PeekOpenSwap() override;
  std::optional<SwapIntent> FindKeptSwap() override;
  void PrepareUndo(const SwapIntent& intent, bool begun) override;
  void DropKept() override;
  void CompleteSwap() override;
  void UndoSwap(const std::string& run_id) override;
  std::optional<AppliedArchive> Applied() override;
  RestorePlan Plan(const Manifest* manifest, RestoreRoom room) override;
  void PrepareRemoval(ArchiveReader& reader) override;
  void RemoveLive(const AppliedArchive& awaited) override;
  std::optional<AppliedArchive> Awaited() override;
  void ForgetAwaited() override;
  void Load(ArchiveReader& reader) override;
  void Verify(const ComponentManifest* expected) override;
  void WriteIntent(const SwapIntent& intent) override;
  void Swap() override;
  void CloseSwap(bool keep_old) override;
  void Abandon() override;
  int64_t swap_ms() const override { return swap_ms_; }

 private:
  // Made at the first call that needs them: finding a tree's place looks at the disk.
  std::vector<TreeWork>& Works();
  void Extract(const MemberInfo& info, ByteSource& content);
  void VerifyTree(TreeWork& work, const ObjectEntry* expected);
  std::vector<TreeSwap*> Swaps();
  void WarnOfRefusals(const TreeWork& work);
  // From here on until the swap is closed nobody reads what it exchanges: a backup would get old
  // and new files side by side. One that has begun is let end before the databases are swapped,
  // too.
  void AwaitReaders();
  void CheckMayUndo(const TreeGroup& group);

  const std::string component_;
  const std::string member_prefix_;
  const std::vector<Tree> trees_;
  const TreeRestoreOptions options_;
  const RunContext run_;
  std::vector<TreeWork> works_;
  int64_t swap_ms_ = 0;
};

}  // namespace oxbackup::files
