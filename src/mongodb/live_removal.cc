#include "mongodb/live_removal.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "mongodb/bson_stream.h"
#include "mongodb/copy_collection.h"
#include "mongodb/dump_path.h"
#include "mongodb/live_names.h"
#include "mongodb/load.h"
#include "mongodb/restore_plan.h"

namespace oxbackup::mongodb {

LiveRemoval::LiveRemoval(Session& session, const RestoreOptions& options, const RunContext& run)
    : session_(session), options_(options), run_(run), filter_(options) {}

void LiveRemoval::Prepare(ArchiveReader& reader) {
  // The documents of an archive with a manifest have digests, and are checked by them.
  const bool foreign = reader.manifest() == nullptr;
  if (foreign) run_.progress.Begin("mongodb", "check", 0);
  reader.Read(
      [&](const std::string& path) {
        const std::optional<DumpMember> member = ParseDumpPath(path);
        if (!member || member->kind == DumpMemberKind::kOplog) return false;
        if (member->kind == DumpMemberKind::kData && !foreign) return false;
        return IsWanted(*member, options_, filter_);
      },
      [&](const MemberInfo& info, ByteSource& content) {
        if (info.type == MemberType::kFile) TakeMember(info, content);
      },
      1, run_);
}

void LiveRemoval::TakeMember(const MemberInfo& info, ByteSource& content) {
  const DumpMember member = *ParseDumpPath(info.path);
  std::string source = member.collection;
  if (member.kind == DumpMemberKind::kData) {
    BsonStream documents(content, info.path);
    while (documents.Next()) run_.ThrowIfStopped();
    run_.progress.Add("mongodb", info.size, 0, member.database + "." + source);
    if (HoldsAccounts(member)) return;
  }
  std::optional<CollectionMetadata> metadata;
  if (member.kind == DumpMemberKind::kMetadata) {
    metadata = ParseMetadata(ReadAll(content, kMaxMetadataBytes), info.path);
    if (!metadata->collection.empty()) source = metadata->collection;
  }
  const auto [database, name] = filter_.Target(member.database, source);
  const std::string ns = database + "." + name;
  if (metadata && !CheckLoadable(*metadata, ns, options_, session_.server())) return;
  comes_[database].insert(name);
}

void LiveRemoval::Remove() {
  for (const auto& [database, comes] : comes_) {
    for (const auto& [name, entry] : ListLive(session_, database)) {
      if (!comes.contains(name) && !TakesAway(options_, database, name)) continue;
      if (options_.before_step) options_.before_step("remove the live " + database + "." + name);
      // To be made equal to nothing: one collection can be emptied only.
      CopyCollection(session_, database, "", name);
    }
  }
}

}  // namespace oxbackup::mongodb
