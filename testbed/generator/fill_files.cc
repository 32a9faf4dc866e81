#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "certificates.h"
#include "fill.h"
#include "random.h"
#include "text.h"

namespace sitegen {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Fail(const std::string& what, const fs::path& path) {
  throw std::runtime_error(fmt::format("cannot {} {}: {}", what, path.string(), strerror(errno)));
}

// Moments with fractions of a second, as real files have; the same for a path.
void SetTime(const fs::path& path, uint64_t seed) {
  Random random(seed, path.filename().string(), 1);
  timespec times[2];
  times[0].tv_sec = times[1].tv_sec = Moment(random);
  times[0].tv_nsec = times[1].tv_nsec = static_cast<long>(random.Below(1000000000));
  if (utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
    Fail("set the time of", path);
}

/// Writes files below one folder. Owners are set when we may (as root), else they stay ours.
class Tree {
 public:
  Tree(fs::path root, uint64_t seed, uid_t owner)
      : root_(std::move(root)), seed_(seed), owner_(owner) {
    fs::create_directories(root_);
  }

  void Folder(const std::string& name, mode_t mode) {
    fs::create_directories(root_ / name);
    if (chmod((root_ / name).c_str(), mode) != 0) Fail("set the mode of", root_ / name);
  }

  void File(const std::string& name, std::string_view content, mode_t mode = 0644) {
    fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) Fail("create", path);
    while (!content.empty()) {
      ssize_t written = write(file, content.data(), content.size());
      if (written < 0) Fail("write", path);
      content.remove_prefix(static_cast<size_t>(written));
    }
    if (fchmod(file, mode) != 0 || close(file) != 0) Fail("write", path);
  }

  void Link(const std::string& name, const std::string& target) {
    if (symlink(target.c_str(), (root_ / name).c_str()) != 0) Fail("create", root_ / name);
  }

  void HardLink(const std::string& name, const std::string& existing) {
    if (link((root_ / existing).c_str(), (root_ / name).c_str()) != 0) Fail("create", root_ / name);
  }

  /// A file of `bytes`, nearly all of it a hole.
  void Sparse(const std::string& name, off_t bytes) {
    File(name, "begin");
    if (truncate((root_ / name).c_str(), bytes) != 0) Fail("grow", root_ / name);
  }

  /// Sets owners and times, children before their folder. Call it last.
  void Finish() {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) paths.push_back(entry.path());
    for (auto path = paths.rbegin(); path != paths.rend(); ++path) Settle(*path);
    Settle(root_);
  }

 private:
  void Settle(const fs::path& path) {
    if (geteuid() == 0) {
      struct stat before;
      if (lstat(path.c_str(), &before) != 0) Fail("read", path);
      if (lchown(path.c_str(), owner_, owner_) != 0) Fail("set the owner of", path);
      // Changing the owner takes setuid and setgid bits away.
      if (!S_ISLNK(before.st_mode) && chmod(path.c_str(), before.st_mode & 07777) != 0) {
        Fail("set the mode of", path);
      }
    }
    SetTime(path, seed_);
  }

  fs::path root_;
  uint64_t seed_;
  uid_t owner_;
};

void AddCertificate(Tree& tree, const std::string& folder, const std::string& host, uint64_t seed) {
  Certificate made = MakeCertificate(seed, host);
  std::string base = fmt::format("{}/{}/{}", folder, host, host);
  tree.File(base + ".crt", made.certificate_pem, 0600);
  tree.File(base + ".key", made.key_pem, 0600);
  tree.File(base + ".json",
            fmt::format("{{\n\t\"sans\": [\n\t\t\"{}\"\n\t],\n\t\"issuer_data\": {{\n\t\t\"url\": "
                        "\"https://acme.invalid/cert/1\"\n\t}}\n}}",
                        host),
            0600);
  tree.Folder(folder + "/" + host, 0700);
}

// Photographs and films do not compress, texts do.
void AddUploads(Tree& tree, const Model& model) {
  uint64_t written = 0;
  for (uint64_t i = 0; i < 30 || written < model.media_bytes; i++) {
    Random random(model.seed, "media", i);
    std::string folder = fmt::format(
        "{}/{}/", random.Percent(50) ? "submissions_attachments" : "grades", Hex(random, 2));
    uint64_t scale = model.media_bytes < (4 << 20) ? 20000 : 400000;
    std::string content;
    switch (i % 6) {
      case 0:
        content = "\x89PNG\r\n\x1a\n" + random.Bytes(random.Below(scale));
        tree.File(fmt::format("profile-images/{}_{}.png", Hex(random, 32), 500), content);
        break;
      case 1:
        content = random.Bytes(random.Below(i % 60 == 1 ? scale * 20 : 9000));
        tree.File(folder + fmt::format("лекция {} 🎬.mp4", i), content);
        break;
      case 2:
        for (uint64_t row = 0; row < random.Below(scale / 100 + 1); row++) {
          content += fmt::format("{},{},0.{}\n", row, GivenName(random), random.Below(100));
        }
        tree.File(folder + fmt::format("grade_report_{}.csv", i), content, 0640);
        break;
      default:
        content =
            "%PDF-1.7\n" + Prose(random, random.Below(20000)) + random.Bytes(random.Below(5000));
        tree.File(folder + fmt::format("{}_{}.pdf", FamilyName(random), i), content);
    }
    written += content.size();
  }
}

void AddOddities(Tree& tree) {
  std::string deep = "deep";
  for (int i = 0; i < 8; i++)
    deep += fmt::format("/a folder whose name has about fifty characters, {:03}", i);
  tree.File(deep + "/" + std::string(251, 'n') + ".txt", "the longest name a file may have\n");
  tree.File("empty", "");
  tree.Folder("empty folder", 0755);
  tree.Folder("private", 0700);
  tree.Folder("shared", 02775);
  tree.File("private/secret", "s", 0400);
  tree.File("program", "#!/bin/sh\n", 0755);
  tree.File("-rf", "a name that looks like an option\n");
  tree.File(" blanks and\nnewline\t", "x");
  tree.File("bytes \xff\xfe that are no UTF-8", "x");
  tree.File("e\xCC\x81 and \xC3\xA9", "the same letter in two forms\n");
  tree.File("back\\slash*?[]{}$'\"`;&|", "x");
  tree.File("one block", std::string(512, 'b'));
  tree.Link("relative link", "private/secret");
  tree.Link("dangling link", "nowhere/😀");
  tree.Link("absolute link", "/etc/hostname");
  tree.Link("link to folder", "shared");
  tree.Link("long link", std::string(300, 'x'));
  tree.HardLink("hard link", "program");
  tree.HardLink("private/hard link", "program");
  tree.Sparse("sparse", 3 << 20);
}

}  // namespace

void FillCaddy(const std::string& folder, const Model& model) {
  constexpr const char* kAuthority = "acme-v02.api.letsencrypt.org-directory";
  constexpr uid_t kRoot = 0;
  Tree tree(folder, model.seed, kRoot);
  std::string certificates = fmt::format("caddy/certificates/{}", kAuthority);
  for (const char* host : {"lms.example.org", "studio.lms.example.org", "apps.lms.example.org",
                           "preview.lms.example.org", "xn--bcher-kva.example.org"}) {
    AddCertificate(tree, certificates, host, model.seed);
  }
  Certificate root = MakeCertificate(model.seed, "root.local");
  tree.File("caddy/pki/authorities/local/root.crt", root.certificate_pem, 0600);
  tree.File("caddy/pki/authorities/local/root.key", root.key_pem, 0600);
  Certificate account = MakeCertificate(model.seed, "account");
  std::string user = fmt::format("caddy/acme/{}/users/default/default", kAuthority);
  tree.File(user + ".json", "{\"status\": \"valid\", \"contact\": [\"mailto:admin@example.org\"]}",
            0600);
  tree.File(user + ".key", account.key_pem, 0600);
  Random random(model.seed, "caddy", 0);
  tree.File("caddy/instance.uuid", Uuid(random), 0600);
  tree.File("caddy/last_clean.json", "{\"tls\":{\"timestamp\":\"2026-01-01T00:00:00Z\"}}", 0600);
  tree.Folder("caddy/locks", 0700);
  tree.Finish();
}

void FillMedia(const std::string& folder, const Model& model) {
  constexpr uid_t kOpenedxUser = 1000;
  {
    Tree open(folder + "/openedx-media", model.seed, kOpenedxUser);
    AddUploads(open, model);
    AddOddities(open);
    open.Finish();
  }
  Tree closed(folder + "/openedx-media-private", model.seed, kOpenedxUser);
  Random random(model.seed, "private media", 0);
  for (int i = 0; i < 8; i++) {
    closed.File(fmt::format("exports/{}.tar.gz", Uuid(random)), random.Bytes(random.Below(60000)),
                0600);
  }
  closed.Finish();
  SetTime(folder, model.seed);
}

}  // namespace sitegen
