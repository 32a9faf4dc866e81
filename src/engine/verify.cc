#include "engine/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <utility>

#include "archive/archive_check.h"
#include "archive/archive_reader.h"
#include "base/error.h"
#include "engine/archive_list.h"
#include "files/tree_member_digester.h"
#include "mongodb/verify.h"
#include "mysql/dump_digester.h"

namespace oxbackup {
namespace {

// What progress calls the run, which is about no single component.
constexpr char kVerify[] = "verify";

uint64_t CountData(const ComponentManifest& component) {
  return static_cast<uint64_t>(std::ranges::count_if(component.objects, HoldsData));
}

void ReadToEnd(ByteSource& content) {
  std::array<char, size_t{64} << 10> buffer;
  while (content.Read(buffer.data(), buffer.size()) > 0) {
  }
}

// Computes every content digest of an archive from its members.
class ContentCheck {
 public:
  ContentCheck(const Manifest& manifest, Progress& progress)
      : manifest_(manifest), progress_(progress) {
    for (const ComponentManifest& component : manifest.components) {
      if (component.name == "mysql" || component.name == "mongodb") continue;
      trees_.try_emplace(component.name, MemberPrefix(component.name), component);
    }
  }

  void Feed(const MemberInfo& info, ByteSource& content) {
    members_.fetch_add(1, std::memory_order_relaxed);
    const std::string component = ComponentOfMember(info.path);
    if (component == "mysql") {
      mysql_.Feed(info.path, content);
    } else if (component == "mongodb") {
      mongodb_.Add(info.path, content);
    } else if (const auto tree = trees_.find(component); tree != trees_.end()) {
      tree->second.Feed(info, content);
    }
    ReadToEnd(content);
    progress_.Add(kVerify, info.size, 0, info.path);
  }

  // Returns how many tables, collections and trees were compared.
  uint64_t Compare() const {
    uint64_t compared = 0;
    if (const ComponentManifest* expected = manifest_.Find("mysql")) {
      compared += mysql_.Compare(*expected);
    }
    if (const ComponentManifest* expected = manifest_.Find("mongodb")) {
      mongodb_.Compare(*expected);
      compared += CountData(*expected);
    }
    for (const auto& [name, trees] : trees_) compared += trees.Compare();
    return compared;
  }

  uint64_t members() const { return members_; }

 private:
  const Manifest& manifest_;
  Progress& progress_;
  mysql::DumpDigester mysql_;
  mongodb::DumpDigester mongodb_;
  std::map<std::string, files::TreeMemberDigester> trees_;
  std::atomic<uint64_t> members_ = 0;
};

void ReadForeign(std::unique_ptr<RangedSource> source, VerifyReport& report,
                 const RunContext& run) {
  const std::unique_ptr<ArchiveReader> reader = OpenArchive(std::move(source), run);
  reader->Read([](const std::string&) { return true; },
               [&](const MemberInfo& info, ByteSource& content) {
                 ReadToEnd(content);
                 run.progress.Add(kVerify, info.size, 0, info.path);
                 ++report.members;
               },
               1, run);
}

}  // namespace

VerifyReport VerifyArchive(Store& store, const ObjectId& archive, VerifyDepth depth, int threads,
                           const RunContext& run) {
  std::unique_ptr<RangedSource> source = store.Open(archive);
  if (source == nullptr) throw GoneError(archive.name, store);
  VerifyReport report;
  report.archive = archive.name;
  report.depth = depth;
  const std::unique_ptr<Manifest> manifest = ReadManifest(*source);
  if (depth == VerifyDepth::kFull) report.bytes_read = source->Size();
  if (manifest == nullptr) {
    if (depth == VerifyDepth::kQuick) {
      throw Error(
          ErrorKind::kUsage,
          fmt::format("{} is not of ours: it has no manifest for a quick check", archive.name))
          .Hint("leave --quick out to read it through");
    }
    run.progress.Begin(kVerify, "", 0);
    ReadForeign(std::move(source), report, run);
    return report;
  }
  report.members = manifest->members.size();
  const uint64_t raw_bytes = manifest->Totals().raw_bytes;
  // The check reads them anew.
  manifest->DropLists();
  report.manifest = *manifest;
  if (depth == VerifyDepth::kQuick) return report;
  run.progress.Begin(kVerify, "", raw_bytes);
  ContentCheck check(*manifest, run.progress);
  CheckWholeArchive(
      *source, threads,
      [&](const MemberInfo& info, ByteSource& content) { check.Feed(info, content); }, run);
  report.objects = check.Compare();
  report.members = check.members();
  return report;
}

VerifyReport CompareWithLive(const Manifest& manifest, const std::string& archive,
                             LiveComparers& comparers, const RunContext& run) {
  VerifyReport report;
  report.archive = archive;
  report.manifest = manifest;
  bool compared = false;
  for (const auto& comparer : comparers) {
    run.ThrowIfStopped();
    const ComponentManifest* const expected = manifest.Find(comparer->name());
    if (expected == nullptr) {
      report.not_held.emplace_back(comparer->name());
      continue;
    }
    WithContext([&] { return fmt::format("comparing the live {}", comparer->name()); },
                [&] {
                  for (std::string& sentence : comparer->Compare(*expected)) {
                    report.differences.push_back(std::move(sentence));
                  }
                });
    report.objects += CountData(*expected);
    compared = true;
  }
  if (!compared) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} holds none of the components that are to be compared", archive))
        .Hint("openedx-backup inspect shows what it holds");
  }
  return report;
}

}  // namespace oxbackup
