#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "files/tree.h"
#include "files/tree_digest.h"
#include "files/tree_reading.h"

namespace oxbackup::files {
namespace {

class TreeComparer final : public LiveComparer {
 public:
  TreeComparer(std::string component, std::vector<Tree> trees, const RunContext& run)
      : component_(std::move(component)), trees_(std::move(trees)), run_(run) {}

  std::string_view name() const override { return component_; }

  std::vector<std::string> Compare(const ComponentManifest& expected) override {
    run_.progress.Begin(component_, "compare", expected.RawBytes());
    std::vector<std::string> differences;
    for (const ObjectEntry& object : expected.objects) {
      const auto tree = std::find_if(trees_.begin(), trees_.end(), [&](const Tree& candidate) {
        return candidate.name == object.name;
      });
      if (tree == trees_.end()) {
        differences.push_back(
            fmt::format("{}: the archive has a tree '{}', the site none", component_, object.name));
      } else {
        CompareTree(*tree, object, differences);
      }
    }
    for (const Tree& tree : trees_) {
      const bool known =
          std::any_of(expected.objects.begin(), expected.objects.end(),
                      [&](const ObjectEntry& object) { return object.name == tree.name; });
      if (!known) {
        differences.push_back(
            fmt::format("{}: {} is not in the archive", component_, tree.path.string()));
      }
    }
    run_.progress.Done(component_);
    return differences;
  }

 private:
  void CompareTree(const Tree& tree, const ObjectEntry& expected,
                   std::vector<std::string>& differences) {
    const TreeRoot root(tree.path);
    root.HoldOffRestores();
    const TreeDigest live = ReadTreeDigest(root, component_, kTreeReaders, run_);
    if (live.full() == expected.digest) return;
    const auto contents = expected.details.find(kContentsDigest);
    const bool same_contents =
        contents != expected.details.end() && contents->second == live.contents();
    const std::string where = fmt::format("{}: {}", component_, tree.path.string());
    if (same_contents) {
      differences.push_back(where + " has the same contents with other modes, owners or times");
    } else if (live.items() != expected.items) {
      differences.push_back(fmt::format("{} has {}, the archive {}", where,
                                        FormatCounted(live.items(), "entry", "entries"),
                                        FormatCount(expected.items)));
    } else {
      differences.push_back(where + " has as many entries as the archive, with other contents");
    }
  }

  const std::string component_;
  const std::vector<Tree> trees_;
  const RunContext run_;
};

}  // namespace

std::unique_ptr<LiveComparer> MakeTreeComparer(std::string component, std::vector<Tree> trees,
                                               const RunContext& run) {
  return std::make_unique<TreeComparer>(std::move(component), std::move(trees), run);
}

}  // namespace oxbackup::files
