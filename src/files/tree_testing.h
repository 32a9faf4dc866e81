// Trees and archives for tests of this layer.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "archive/archive_reader.h"
#include "archive/member.h"
#include "base/run_context.h"

namespace oxbackup::files {

/// Everything that a restore has to bring back, as text by path: type, mode, owner, time,
/// attributes, content or link target, and which names are one file. "." is the root itself.
std::map<std::string, std::string> Fingerprint(const std::filesystem::path& root);

/// Makes a tree with every kind of entry that is backed up: folders (also empty), small and larger
/// files, links, hard links, awkward names, odd modes and times, attributes where possible.
/// `variant` tells trees apart: their contents differ, and each has entries that the others lack.
void MakeSampleTree(const std::filesystem::path& root, int variant);

/// The members that an archive of the tree has, folders first. The tree's root is `member_path`.
std::vector<Member> MembersOf(const std::filesystem::path& root, const std::string& member_path);

/// The component that MembersOf describes, as a manifest has it.
ComponentManifest ManifestOf(const std::string& component, const std::string& tree_name,
                             const std::filesystem::path& root, const RunContext& run);

/// An archive that is a list of members.
class MemberListReader final : public ArchiveReader {
 public:
  /// Without a manifest it is a foreign archive.
  MemberListReader(std::vector<Member> members, const Manifest* manifest)
      : members_(std::move(members)), manifest_(manifest) {}

  const Manifest* manifest() const override { return manifest_; }
  bool random_access() const override { return true; }
  /// Delivers the members in order, on this thread.
  void Read(const MemberFilter& filter, const MemberConsumer& consumer, int threads,
            const RunContext& run) override;
  std::string Name() const override { return "test archive"; }

 private:
  std::vector<Member> members_;
  const Manifest* manifest_;
};

}  // namespace oxbackup::files
