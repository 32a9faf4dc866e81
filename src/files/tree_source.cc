#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "files/tree.h"
#include "files/tree_copier.h"
#include "files/tree_digest.h"
#include "files/tree_paths.h"

namespace oxbackup::files {
namespace {

class TreeSource final : public BackupSource {
 public:
  TreeSource(std::string component, std::string member_prefix, std::vector<Tree> trees,
             const RunContext& run)
      : component_(std::move(component)),
        member_prefix_(std::move(member_prefix)),
        trees_(std::move(trees)),
        run_(run) {}

  std::string_view name() const override { return component_; }

  void Prepare() override {
    CheckTreeNames(trees_);
    // Folders that cannot be read are found out here, before any database is touched.
    for (const Tree& tree : trees_) {
      const TreeRoot& root = roots_.emplace_back(tree.path);
      root.HoldOffRestores();
      WalkTree(
          root, run_, [](const std::string&) {},
          [this](const WalkedEntry& entry) {
            if (S_ISREG(entry.status.st_mode) && entry.hard_link_to.empty()) {
              expected_bytes_ += static_cast<uint64_t>(entry.status.st_size);
            }
          });
    }
  }

  void TakeSnapshot() override {}
  // A file system has no snapshot: a file is as it was when its turn came.
  bool moment_is_end_of_copy() const override { return true; }

  void Copy(ArchiveWriter& writer) override {
    run_.progress.Begin(component_, "dump", expected_bytes_);
    for (size_t i = 0; i < trees_.size(); ++i) {
      WithContext([&] { return fmt::format("copying {}", trees_[i].path.string()); },
                  [&] {
                    TreeCopier copier(component_, TreeMemberPath(member_prefix_, trees_[i]),
                                      roots_[i], writer, run_);
                    manifest_.objects.push_back(copier.Copy(kTreeReaders).ToObject(trees_[i].name));
                  });
    }
    manifest_.moment = run_.clock.Now();
    run_.progress.Done(component_);
  }

  ComponentManifest Finish() override {
    manifest_.name = component_;
    manifest_.consistency = "file by file: each as it was when it was read, up to the moment";
    std::sort(manifest_.objects.begin(), manifest_.objects.end(),
              [](const ObjectEntry& a, const ObjectEntry& b) { return a.name < b.name; });
    roots_.clear();
    return std::move(manifest_);
  }

 private:
  const std::string component_;
  const std::string member_prefix_;
  const std::vector<Tree> trees_;
  const RunContext run_;
  std::vector<TreeRoot> roots_;
  uint64_t expected_bytes_ = 0;
  ComponentManifest manifest_;
};

}  // namespace

std::unique_ptr<BackupSource> MakeTreeSource(std::string component, std::string member_prefix,
                                             std::vector<Tree> trees, const RunContext& run) {
  return std::make_unique<TreeSource>(std::move(component), std::move(member_prefix),
                                      std::move(trees), run);
}

}  // namespace oxbackup::files
