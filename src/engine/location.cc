#include "engine/location.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "archive/manifest.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/archive_list.h"
#include "store/local/local_store.h"
#include "store/s3/s3_store.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBucketScheme = "s3://";

void CheckPlace(const std::string& text, const std::vector<std::string>& parts) {
  const bool no_bucket = !parts.empty() && text[kBucketScheme.size()] == '/';
  // Services take such a name apart, each in its own way.
  const bool dots = std::ranges::any_of(
      parts, [](const std::string& part) { return part == "." || part == ".."; });
  if (!no_bucket && !dots) return;
  throw Error(ErrorKind::kUsage, fmt::format("'{}' is no place in a bucket", text))
      .Cause(no_bucket ? "the bucket's name is missing behind s3://"
                       : "'.' and '..' mean nothing in the name of a folder there")
      .Hint("s3://BUCKET or s3://BUCKET/FOLDER");
}

Location OpenBucket(const std::string& text, const BucketAccess& access, const RunContext& run) {
  const std::vector<std::string> parts = SplitNonEmpty(text.substr(kBucketScheme.size()), "/");
  CheckPlace(text, parts);
  std::string folder;
  std::optional<std::string> name;
  for (size_t i = 1; i < parts.size(); ++i) {
    if (i + 1 == parts.size() && IsArchiveName(parts[i])) {
      name = parts[i];
    } else {
      folder += (folder.empty() ? "" : "/") + parts[i];
    }
  }
  const std::string bucket = parts.empty() ? access.bucket : parts.front();
  s3::Settings settings = access.settings;
  settings.archive_format = kFormatVersion;
  return {s3::MakeS3Store(settings, bucket, folder, access.environment, run), name, {}};
}

// A bucket that is written otherwise: "s3:/backups", "S3://backups".
bool IsNearlyBucket(std::string_view text) { return LowerCase(text.substr(0, 3)) == "s3:"; }

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

// Whether `folder` is `root` or lies below it, whatever links and mounts lead there; also of
// folders that are not there yet.
bool IsWithin(const fs::path& folder, const fs::path& root) {
  std::error_code ignored;
  const fs::path top = fs::weakly_canonical(fs::absolute(root, ignored), ignored);
  for (fs::path at = fs::weakly_canonical(fs::absolute(folder, ignored), ignored); !at.empty();
       at = at.parent_path()) {
    if (at == top || fs::equivalent(at, top, ignored)) return true;
    if (at == at.parent_path()) break;
  }
  return false;
}

// The folders that hold what a location names: a file may be a link to another folder.
std::vector<fs::path> FoldersOf(const Location& location) {
  if (!location.name) return {location.path};
  std::error_code ignored;
  return {location.store->Location(), fs::canonical(location.path, ignored).parent_path()};
}

struct PartOfSite {
  std::string component;
  fs::path path;
};

void CheckApartFromEachOther(const std::vector<PartOfSite>& parts) {
  for (const PartOfSite& outer : parts) {
    for (const PartOfSite& inner : parts) {
      if (&outer == &inner || !IsWithin(inner.path, outer.path)) continue;
      throw Error(ErrorKind::kUsage,
                  fmt::format("{} ({}) lies in {} ({})", inner.path.string(), inner.component,
                              outer.path.string(), outer.component))
          .Cause(
              "a backup would hold it twice, and a restore that replaces the outer folder would "
              "remove what it has just restored into the inner one")
          .Hint("name folders that lie beside each other, or the outer one alone");
    }
  }
}

}  // namespace

Location OpenLocation(const std::string& text, const BucketAccess& access, const RunContext& run) {
  if (text.empty()) {
    throw Error(ErrorKind::kUsage, "no place for archives is given")
        .Hint("pass --to/--from with a folder or s3://BUCKET, or set BACKUP_LOCATION");
  }
  if (text.starts_with(kBucketScheme)) return OpenBucket(text, access, run);
  std::error_code ignored;
  const fs::path path(text);
  if (fs::is_regular_file(path, ignored)) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    return Location{std::make_unique<LocalStore>(folder), path.filename().string(), path};
  }
  if (fs::is_directory(path, ignored))
    return Location{std::make_unique<LocalStore>(path), {}, path};
  throw Error(ErrorKind::kNotFound, fmt::format("there is no folder or archive '{}'", text))
      .Hint(IsNearlyBucket(text)
                ? "a bucket is s3://BUCKET or s3://BUCKET/FOLDER, in small letters and with two '/'"
                : "check the spelling and that the disk is mounted; a folder for archives is not "
                  "created by itself");
}

void CheckApart(const Location& location, const Site& site, const ComponentSelection& selection) {
  std::vector<PartOfSite> parts;
  for (const char* const component : {"caddy", "media"}) {
    if (!site.Has(component) || !selection.Includes(component)) continue;
    for (const files::Tree& tree : TreesOf(site, component)) {
      parts.push_back({component, tree.path});
      if (location.path.empty()) continue;
      for (const fs::path& folder : FoldersOf(location)) {
        if (!IsWithin(folder, tree.path)) continue;
        throw Error(ErrorKind::kUsage,
                    fmt::format("the archives in {} lie in {}, which is a part of the site ({})",
                                folder.string(), tree.path.string(), component))
            .Cause(
                "a restore would remove them with the folder that it replaces, and a backup would "
                "hold all those before it and itself")
            .Hint(fmt::format("keep archives outside of {}, or leave it out: --exclude {}",
                              tree.path.string(), component));
      }
    }
  }
  CheckApartFromEachOther(parts);
}

std::vector<std::string> NewArchiveNames(const std::optional<std::string>& name,
                                         std::string_view suffix, TimePoint now) {
  if (name) {
    const bool has_control = std::ranges::any_of(*name, IsControl);
    if (name->empty() || name->front() == '.' || name->find('/') != std::string::npos ||
        has_control) {
      std::string shown = *name;
      std::ranges::replace_if(shown, IsControl, '?');
      throw Error(ErrorKind::kUsage, fmt::format("'{}' cannot be an archive's name", shown))
          .Hint(
              "a name has no '/' and no control characters and does not begin with '.', e.g. "
              "--name "
              "before-upgrade");
    }
    return {name->ends_with(suffix) ? *name : *name + std::string(suffix)};
  }
  const std::string date = FormatLocalDate(now);
  const std::string time = FormatLocalTimeOfDay(now);
  constexpr int kTriesInOneSecond = 9;
  std::vector<std::string> names = {fmt::format("backup.{}{}", date, suffix),
                                    fmt::format("backup.{}.{}{}", date, time, suffix)};
  for (int i = 2; i <= kTriesInOneSecond; ++i) {
    names.push_back(fmt::format("backup.{}.{}-{}{}", date, time, i, suffix));
  }
  return names;
}

std::string FirstFreeName(Store& store, const std::vector<std::string>& names) {
  if (std::optional<std::string> name = store.FreeName(names)) return *std::move(name);
  throw Error(ErrorKind::kUsage,
              fmt::format("{} already has {}", store.Location(), fmt::join(names, ", ")))
      .Hint("name the new archive otherwise (--name), or remove that one first");
}

}  // namespace oxbackup
