#include "engine/extract.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "archive/archive_reader.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "engine/archive_list.h"
#include "files/beneath.h"
#include "files/tree_extractor.h"
#include "mongodb/dump_path.h"
#include "mysql/member_path.h"
#include "mysql/quote.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivateMode = 0600;
constexpr mode_t kPrivateFolderMode = 0700;

// Makes the folder, or takes an empty one; what it made is removed again unless Keep is called.
class OutputFolder {
 public:
  explicit OutputFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    if (fs::exists(path_, error)) {
      if (!fs::is_directory(path_, error) || !fs::is_empty(path_, error)) {
        throw Error(ErrorKind::kUsage,
                    fmt::format("{} is there already and not an empty folder", path_.string()))
            .Hint("name a new folder with --to");
      }
    } else {
      // What is unpacked into it has secrets in files that keep the modes they had.
      made_ = ::mkdir(path_.c_str(), kPrivateFolderMode) == 0;
      if (!made_) {
        throw SystemError(ErrorKind::kUsage, "cannot make the folder " + path_.string(), errno)
            .Hint("name a folder with --to whose parent exists and can be written");
      }
    }
    folder_ = FileDescriptor(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_) {
      throw SystemError(ErrorKind::kUsage, "cannot open the folder " + path_.string(), errno);
    }
  }
  ~OutputFolder() {
    if (keep_) return;
    std::error_code ignored;
    std::error_code unreadable;
    // Not in a range-for, whose ++ throws.
    for (fs::directory_iterator entry(path_, unreadable);
         !unreadable && entry != fs::directory_iterator(); entry.increment(unreadable)) {
      fs::remove_all(entry->path(), ignored);
    }
    if (made_) fs::remove(path_, ignored);
  }
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  int get() const { return folder_.get(); }
  // Makes everything in it durable and keeps it. A full disk or quota, over a network above all, is
  // often told only now. Throws Error(kStore).
  void Keep() {
    if (::syncfs(folder_.get()) != 0) {
      throw SystemError(ErrorKind::kStore, "cannot sync " + path_.string(), errno)
          .Hint("make room or choose another folder with --to");
    }
    keep_ = true;
  }

 private:
  fs::path path_;
  FileDescriptor folder_;
  bool made_ = false;
  bool keep_ = false;
};

// Appends members to files below a folder; neighbours that go into one file keep it open.
class JoiningWriter {
 public:
  explicit JoiningWriter(int folder) : cursor_(folder) {}

  void Append(const std::string& path, std::string_view bytes) {
    if (path != path_) Open(path);
    if (const int error = WriteFully(file_.get(), bytes)) Fail(error);
    written_ += bytes.size();
  }
  void Append(const std::string& path, ByteSource& content) {
    std::array<char, size_t{64} << 10> buffer;
    Append(path, std::string_view());
    while (const size_t size = content.Read(buffer.data(), buffer.size())) {
      Append(path, std::string_view(buffer.data(), size));
    }
  }

  // Makes the last file durable. Called once, last.
  void Finish() {
    if (!file_) return;
    if (const int error = SyncFile(file_.get())) Fail(error);
    if (const int error = file_.CloseChecked()) Fail(error);
  }

  uint64_t files() const { return files_; }
  uint64_t written() const { return written_; }

 private:
  void Open(const std::string& path) {
    Finish();
    path_ = path;
    const auto [folder_path, name] = files::SplitLast(path);
    const int folder = cursor_.OpenOrMake(folder_path);
    if (folder < 0) Fail(errno);
    const std::string name_text(name);
    file_ = FileDescriptor(
        openat(folder, name_text.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    if (file_) return;
    file_ =
        FileDescriptor(openat(folder, name_text.c_str(),
                              O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, kPrivateMode));
    if (!file_) Fail(errno);
    ++files_;
  }
  [[noreturn]] void Fail(int error) const {
    throw SystemError(ErrorKind::kStore, "cannot write " + path_, error)
        .Hint("make room or choose another folder with --to");
  }

  files::FolderCursor cursor_;
  std::string path_;
  FileDescriptor file_;
  uint64_t files_ = 0;
  uint64_t written_ = 0;
};

// Takes members in archive order, which is the loading order.
class Extractor {
 public:
  Extractor(int folder, TimePoint now)
      : joined_(folder),
        tree_cursor_(folder),
        trees_(folder, files::TreeExtractor::Options{
                           .base = "", .foreign = true, .keep_root = true, .now = now}) {}

  void Take(const MemberInfo& info, ByteSource& content) {
    const std::string component = ComponentOfMember(info.path);
    if (component == "mysql") {
      TakeMysql(info, content);
    } else if (component == "mongodb") {
      TakeMongodb(info, content);
    } else if (!component.empty()) {
      tree_bytes_ += info.size;
      if (info.type == MemberType::kFile) ++tree_files_;
      trees_.Add(info.path, info, content, tree_cursor_);
    }
  }

  ExtractReport Finish() {
    joined_.Finish();
    if (!trees_.empty()) trees_.Finish();
    return ExtractReport{.files = joined_.files() + tree_files_,
                         .bytes = joined_.written() + tree_bytes_};
  }

 private:
  // Our members become the one script that mysqldump would have written.
  void TakeMysql(const MemberInfo& info, ByteSource& content) {
    if (info.type != MemberType::kFile) return;
    const std::string script(mysql::kScriptPath);
    const std::optional<mysql::MemberPath> member = mysql::ParseMemberPath(info.path);
    if (!member) {
      // Ours has members and, as the script, only a list of them; a foreign one has it all in
      // there.
      if (info.path == script && !members_seen_) joined_.Append(script, content);
      return;
    }
    members_seen_ = true;
    if (member->kind == mysql::MemberKind::kAccounts) {
      // Apart: it replaces passwords, that of whoever loads the script too.
      joined_.Append("data/mysql_accounts.sql", content);
      return;
    }
    if (member->kind != mysql::MemberKind::kDatabase && !member->database.empty() &&
        member->database != database_) {
      database_ = member->database;
      joined_.Append(script, "USE " + mysql::QuoteName(database_) + ";\n");
    }
    joined_.Append(script, content);
    joined_.Append(script, "\n");
  }

  void TakeMongodb(const MemberInfo& info, ByteSource& content) {
    const std::optional<mongodb::DumpMember> member = mongodb::ParseDumpPath(info.path);
    if (!member) return;
    std::string path = info.path;
    if (!member->part.empty()) path.resize(path.size() - member->part.size() - 1);
    joined_.Append(path, content);
  }

  JoiningWriter joined_;
  files::FolderCursor tree_cursor_;
  files::TreeExtractor trees_;
  std::string database_;
  bool members_seen_ = false;
  uint64_t tree_files_ = 0;
  uint64_t tree_bytes_ = 0;
};

}  // namespace

ExtractReport Extract(Store& store, const ObjectId& archive, const ComponentSelection& selection,
                      const fs::path& folder, const RunContext& run) {
  CheckSelection(selection);
  std::unique_ptr<RangedSource> source = store.Open(archive);
  if (source == nullptr) throw GoneError(archive.name, store);
  const std::unique_ptr<ArchiveReader> reader = OpenArchive(std::move(source), run);
  uint64_t expected = 0;
  if (const Manifest* const manifest = reader->manifest()) {
    for (const ComponentManifest& component : manifest->components) {
      if (selection.Includes(component.name)) expected += component.RawBytes();
    }
  }
  bool any = false;
  OutputFolder output(folder);
  run.progress.Begin("extract", "", expected);
  Extractor extractor(output.get(), run.clock.Now());
  reader->Read(
      [&](const std::string& path) {
        const std::string component = ComponentOfMember(path);
        return !component.empty() && selection.Includes(component);
      },
      [&](const MemberInfo& info, ByteSource& content) {
        any = true;
        extractor.Take(info, content);
        run.progress.Add("extract", info.size, 0, info.path);
      },
      1, run);
  if (!any) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} holds none of the selected components", archive.name))
        .Hint("openedx-backup inspect shows what it holds; --name chooses another archive");
  }
  const ExtractReport report = extractor.Finish();
  output.Keep();
  return report;
}

}  // namespace oxbackup
