#include "archive/sequential_reader.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "archive/format_member.h"
#include "archive/manifest_block.h"
#include "archive/tar_format.h"
#include "archive/tar_stream.h"
#include "base/error.h"
#include "base/hash.h"

namespace oxbackup {
namespace {

constexpr size_t kMarkBytes = 64;

// The present member's content, hashed on its way.
class HashedContent final : public ByteSource {
 public:
  HashedContent(TarStream& tar, const MemberInfo& info, const std::stop_token& stop)
      : tar_(tar), info_(info), stop_(stop), left_(info.size) {}

  size_t Read(char* buffer, size_t size) override {
    if (stop_.stop_requested()) throw CancelledError();
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(size, left_));
    if (wanted == 0) return 0;
    const size_t have = tar_.Read(buffer, wanted);
    if (have == 0) {
      throw Error(ErrorKind::kCorrupt, fmt::format("{} breaks off in the archive", info_.path));
    }
    left_ -= have;
    sha256_.Update({buffer, have});
    if (begin_.size() < kMarkBytes) begin_.append(buffer, std::min(have, kMarkBytes));
    return have;
  }

  void PassOver() {
    std::array<char, 16384> buffer;
    while (Read(buffer.data(), buffer.size()) > 0) {
    }
  }
  std::string FinishSha256() { return sha256_.FinishHex(); }
  const std::string& begin() const { return begin_; }

 private:
  TarStream& tar_;
  const MemberInfo& info_;
  const std::stop_token& stop_;
  uint64_t left_;
  std::string begin_;
  Sha256 sha256_;
};

void Drain(ByteSource& source) {
  std::array<char, 16384> buffer;
  while (source.Read(buffer.data(), buffer.size()) > 0) {
  }
}

void CompareWithManifest(const Manifest& manifest, const std::vector<MemberEntry>& seen) {
  for (size_t i = 0; i < std::max(seen.size(), manifest.members.size()); ++i) {
    if (i >= seen.size() || i >= manifest.members.size() ||
        seen[i].path != manifest.members[i].path || seen[i].size != manifest.members[i].size ||
        seen[i].sha256 != manifest.members[i].sha256) {
      const std::vector<MemberEntry>& longer = i < seen.size() ? seen : manifest.members;
      throw Error(ErrorKind::kCorrupt, fmt::format("{} is not what was backed up", longer[i].path))
          .Cause("it differs from the archive's manifest");
    }
  }
}

}  // namespace

SequentialReader::SequentialReader(Opener open, std::string name)
    : open_(std::move(open)), name_(std::move(name)) {}

void SequentialReader::Read(const MemberFilter& filter, const MemberConsumer& consumer,
                            int /*threads*/, const RunContext& run) {
  const std::unique_ptr<ByteSource> source = open_();
  if (source == nullptr) throw Error(ErrorKind::kInternal, "a pipe cannot be read twice");
  TarStream tar(*source, name_);
  std::vector<MemberEntry> seen;
  std::unique_ptr<Manifest> manifest;
  bool ours = false;
  while (const std::optional<MemberInfo> info = tar.Next()) {
    if (info->path == "." && info->type == MemberType::kDirectory) continue;
    CheckMemberPath(info->path);
    if (manifest != nullptr) {
      throw Error(ErrorKind::kCorrupt, fmt::format("{} follows the manifest", info->path));
    }
    HashedContent content(tar, *info, run.stop);
    if (info->path == kManifestPath) {
      manifest = std::make_unique<Manifest>(ParseManifest(ReadAll(content, kMaxManifestBytes)));
      continue;
    }
    if (filter(info->path)) {
      WithContext([&] { return fmt::format("reading {}", info->path); },
                  [&] { consumer(*info, content); });
    }
    content.PassOver();
    if (seen.empty()) ours = IsFormatMember(info->path, content.begin());
    const bool file = info->type == MemberType::kFile;
    seen.push_back({info->path, 0, 0, info->size,
                    Sha256Digest(file ? content.FinishSha256() : std::string())});
  }
  if (manifest != nullptr) {
    CompareWithManifest(*manifest, seen);
  } else if (ours) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is incomplete: its manifest is lost", name_));
  } else if (seen.empty()) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is an empty archive", name_));
  }
  Drain(*source);
  manifest_ = std::move(manifest);
}

void ProbeFirstMember(ByteSource& source, const std::string& name) {
  TarStream tar(source, name);
  const std::optional<MemberInfo> info = tar.Next();
  if (!info) throw Error(ErrorKind::kCorrupt, fmt::format("{} is an empty archive", name));
  // From 3.7 on libarchive hands out a header with nothing behind it; reading tells.
  std::array<char, kMarkBytes> head;
  static_cast<void>(
      tar.Read(head.data(), static_cast<size_t>(std::min<uint64_t>(info->size, head.size()))));
}

}  // namespace oxbackup
