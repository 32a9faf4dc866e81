// What a restore does with trees up to their swap: plans, loads beside what is there, compares.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/error.h"
#include "base/pause.h"
#include "files/tree_plan.h"
#include "files/tree_reading.h"
#include "files/tree_target.h"

namespace oxbackup::files {
namespace {

const ObjectEntry* FindObject(const ComponentManifest* manifest, const std::string& name) {
  if (manifest == nullptr) return nullptr;
  const auto found = std::ranges::find(manifest->objects, name, &ObjectEntry::name);
  return found == manifest->objects.end() ? nullptr : &*found;
}

Error NoTreeOf(const ComponentManifest& described) {
  std::vector<std::string> names;
  for (const ObjectEntry& object : described.objects) names.push_back(object.name);
  return Error(ErrorKind::kUsage,
               fmt::format("none of the folders that are given here is one of the archive's {}",
                           described.name))
      .Cause(fmt::format("they are called {} there", fmt::join(names, ", ")))
      .Hint(fmt::format("say which folder is which: --{0} {1}=DIR; or leave it out: --exclude {0}",
                        described.name, names.empty() ? "NAME" : names.front()));
}

}  // namespace

RestorePlan TreeTarget::Plan(const Manifest* manifest, RestoreRoom room) {
  const ComponentManifest* const described =
      manifest == nullptr ? nullptr : manifest->Find(component_);
  std::vector<PlannedTree> planned;
  for (TreeWork& work : Works()) {
    const SwapPlace place = work.swap.NewPlace();
    CheckSwapPlace(place);
    const ObjectEntry* const object = FindObject(described, work.tree.name);
    if (described == nullptr || object != nullptr) planned.push_back({place, object});
  }
  if (planned.empty()) throw NoTreeOf(*described);
  RestorePlan plan = PlanTrees(planned, room, run_);
  if (described == nullptr) return plan;
  for (const ObjectEntry& object : described->objects) {
    const bool known = std::any_of(trees_.begin(), trees_.end(),
                                   [&](const Tree& tree) { return tree.name == object.name; });
    if (known) continue;
    run_.warnings.Add(fmt::format("{}: the archive's folder '{}' has no place here and is left out",
                                  component_, object.name));
  }
  return plan;
}

void TreeTarget::PrepareRemoval(ArchiveReader& reader) {
  for (TreeWork& work : Works()) {
    (void)work.swap.BeginNew();
    work.in_archive = false;
  }
  ForEachPath(reader, run_, [this](const std::string& path) {
    for (TreeWork& work : works_) {
      work.in_archive = work.in_archive || PathInTree(work.member_path, path).has_value();
    }
  });
  AwaitReaders();
}

void TreeTarget::RemoveLive(const AppliedArchive& awaited) {
  run_.progress.Begin(component_, "remove", 0);
  for (const TreeWork& work : works_) {
    if (work.in_archive) work.swap.RemoveLive(awaited);
  }
}

void TreeTarget::Load(ArchiveReader& reader) {
  const bool foreign = reader.manifest() == nullptr;
  const ComponentManifest* const described =
      foreign ? nullptr : reader.manifest()->Find(component_);
  run_.progress.Begin(component_, "load", described == nullptr ? 0 : described->RawBytes());
  for (TreeWork& work : Works()) {
    work.fresh = work.swap.BeginNew();
    TreeExtractor::Options options;
    options.base = work.swap.place().base;
    options.foreign = foreign;
    options.now = run_.clock.Now();
    work.extractor = std::make_unique<TreeExtractor>(work.fresh.get(), std::move(options));
  }
  reader.Read(
      [this](const std::string& path) {
        return std::any_of(works_.begin(), works_.end(), [&](const TreeWork& work) {
          return PathInTree(work.member_path, path).has_value();
        });
      },
      [this](const MemberInfo& info, ByteSource& content) { Extract(info, content); },
      options_.threads, run_);
  bool any = false;
  for (TreeWork& work : works_) {
    work.in_archive = !work.extractor->empty();
    if (!work.in_archive) continue;
    any = true;
    work.loaded = work.extractor->Finish();
    WarnOfRefusals(work);
    if (::syncfs(work.fresh.get()) != 0) {
      throw SystemError(ErrorKind::kSource,
                        fmt::format("cannot sync {}", work.swap.place().work.string()), errno)
          .Hint("check the disk");
    }
  }
  if (!any) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} holds no files of {}", reader.Name(), component_))
        .Hint(fmt::format("leave it out: --exclude {}", component_));
  }
  for (TreeWork& work : works_) {
    if (work.in_archive) continue;
    run_.warnings.Add(fmt::format("{}: the archive has nothing for {}, which stays as it is",
                                  component_, work.tree.path.string()));
    work.swap.DiscardNew();
  }
  run_.progress.Done(component_);
}

void TreeTarget::Extract(const MemberInfo& info, ByteSource& content) {
  for (TreeWork& work : works_) {
    const std::optional<std::string_view> path = PathInTree(work.member_path, info.path);
    if (!path) continue;
    MemberInfo local = info;
    if (info.type == MemberType::kHardlink) {
      const auto target = PathInTree(work.member_path, info.link_target);
      if (!target) {
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("the archive's member {} is a hard link out of its tree, to {}",
                                info.path, info.link_target))
            .Hint("do not trust this archive, use another one");
      }
      local.link_target = std::string(*target);
    }
    FolderCursor cursor(work.fresh.get());
    work.extractor->Add(*path, std::move(local), content, cursor);
    run_.progress.Add(component_, info.size, 1, *path);
    return;
  }
}

void TreeTarget::WarnOfRefusals(const TreeWork& work) {
  for (const auto& [what, path] : work.extractor->refused()) {
    run_.warnings.Add(fmt::format(
        "{}: {} of files in {} cannot be restored by this user or on this file system (first: {})",
        component_, what, work.tree.path.string(), path.empty() ? "." : path));
  }
}

void TreeTarget::Verify(const ComponentManifest* expected) {
  run_.progress.Begin(component_, "verify", expected == nullptr ? 0 : expected->RawBytes());
  for (TreeWork& work : works_) {
    const ObjectEntry* const object = FindObject(expected, work.tree.name);
    if (work.in_archive) {
      VerifyTree(work, object);
    } else if (object != nullptr) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{}: the manifest lists {}, but the archive has nothing of it",
                              component_, work.member_path));
    }
  }
  AwaitReaders();
  run_.progress.Done(component_);
}

void TreeTarget::AwaitReaders() {
  constexpr std::chrono::milliseconds kBetweenLooks(200);
  for (TreeWork& work : works_) {
    if (!work.in_archive || work.swap.TryHoldOffReaders()) continue;
    const std::string path = work.tree.path.string();
    run_.log.Info("{}: waiting for the backup or comparison that reads {}", component_, path);
    run_.progress.Begin(component_, "wait", 0);
    run_.progress.Add(component_, 0, 0, "for the backup that reads " + path);
    while (!work.swap.TryHoldOffReaders()) {
      Pause(run_.stop, kBetweenLooks);
      run_.ThrowIfStopped();
    }
  }
}

void TreeTarget::VerifyTree(TreeWork& work, const ObjectEntry* expected) {
  const auto differs = [&](const std::string& what, const std::string& than) {
    return Error(ErrorKind::kCorrupt, fmt::format("{}: {} differs from {}", component_, what, than))
        .Hint("check the archive with verify");
  };
  if (expected != nullptr && work.loaded.full() != expected->digest) {
    throw differs(work.member_path + " in the archive", "what its manifest says");
  }
  const std::string where = work.swap.place().NewTree().string();
  const TreeDigest on_disk = ReadTreeDigest(TreeRoot(where), component_, options_.threads, run_);
  if (on_disk.full() == work.loaded.full()) return;
  // What the system refused is in the warnings; everything else has to be equal all the same.
  const bool excused = !work.extractor->refused().empty();
  if (!excused || on_disk.contents() != work.loaded.contents()) {
    throw differs(where, "the archive");
  }
}

}  // namespace oxbackup::files
