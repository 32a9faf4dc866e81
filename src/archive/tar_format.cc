#include "archive/tar_format.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "base/error.h"

namespace oxbackup {
namespace {

// Other tools write "./a//b/./c/". What climbs or begins at the root stays so, to be refused.
std::string WithoutDots(std::string_view path) {
  std::string plain = path.starts_with('/') ? "/" : "";
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (!plain.empty() && !plain.ends_with('/')) plain += '/';
    plain += name;
  }
  return plain.empty() ? "." : plain;
}

struct FreeLibarchive {
  void operator()(archive* object) const { archive_free(object); }
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using ArchiveObject = std::unique_ptr<archive, FreeLibarchive>;
using Entry = std::unique_ptr<archive_entry, FreeLibarchive>;

la_ssize_t AppendToString(archive* /*object*/, void* out, const void* bytes, size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool NamesAreAscii(const MemberInfo& info) {
  return IsAscii(info.path) && IsAscii(info.link_target) && IsAscii(info.user) &&
         IsAscii(info.group);
}

unsigned int FileType(MemberType type) {
  switch (type) {
    case MemberType::kDirectory:
      return AE_IFDIR;
    case MemberType::kSymlink:
      return AE_IFLNK;
    case MemberType::kFile:
    case MemberType::kHardlink:
      break;
  }
  return AE_IFREG;
}

Entry MakeEntry(const MemberInfo& info) {
  Entry entry(archive_entry_new());
  archive_entry* const e = entry.get();
  archive_entry_set_pathname(e, info.path.c_str());
  archive_entry_set_filetype(e, FileType(info.type));
  archive_entry_set_perm(e, info.mode);
  archive_entry_set_size(e,
                         info.type == MemberType::kFile ? static_cast<la_int64_t>(info.size) : 0);
  if (info.type == MemberType::kSymlink) archive_entry_set_symlink(e, info.link_target.c_str());
  if (info.type == MemberType::kHardlink) archive_entry_set_hardlink(e, info.link_target.c_str());
  archive_entry_set_uid(e, static_cast<la_int64_t>(info.uid));
  archive_entry_set_gid(e, static_cast<la_int64_t>(info.gid));
  archive_entry_set_uname(e, info.user.c_str());
  archive_entry_set_gname(e, info.group.c_str());
  archive_entry_set_mtime(e, info.mtime_seconds, static_cast<long>(info.mtime_nanoseconds));
  for (const auto& [name, value] : info.xattrs) {
    archive_entry_xattr_add_entry(e, name.c_str(), value.data(), value.size());
  }
  return entry;
}

// "Restricted" pax makes plain ustar headers where it can, but then drops fractions of a second.
ArchiveObject NewHeaderWriter(const MemberInfo& info, std::string* out) {
  ArchiveObject writer(archive_write_new());
  archive* const w = writer.get();
  if (info.mtime_nanoseconds != 0) {
    archive_write_set_format_pax(w);
  } else {
    archive_write_set_format_pax_restricted(w);
  }
  // Without this libarchive would compose accents when it reads the names back, and what it writes
  // would depend on the locale.
  if (!NamesAreAscii(info)) archive_write_set_format_option(w, "pax", "hdrcharset", "BINARY");
  archive_write_set_format_option(w, "pax", "xattrheader", "SCHILY");
  archive_write_set_bytes_per_block(w, 0);
  archive_write_open2(w, out, nullptr, AppendToString, nullptr, nullptr);
  return writer;
}

// Made once and kept: all threads may share it, and glibc takes a lock of the whole process to make
// or free one.
locale_t Utf8Locale() {
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (utf8 == nullptr) throw Error(ErrorKind::kInternal, "the C library lacks the locale C.UTF-8");
  return utf8;
}

std::string TextOrEmpty(const char* text) { return text == nullptr ? std::string() : text; }

}  // namespace

Utf8Scope::Utf8Scope() : previous_(uselocale(Utf8Locale())) {}

Utf8Scope::~Utf8Scope() { uselocale(static_cast<locale_t>(previous_)); }

std::string EncodeTarHeader(const MemberInfo& info) {
  std::string header;
  const ArchiveObject writer = NewHeaderWriter(info, &header);
  const Entry entry = MakeEntry(info);
  const bool written = archive_write_header(writer.get(), entry.get()) == ARCHIVE_OK;
  const std::string cause = TextOrEmpty(archive_error_string(writer.get()));
  const size_t size = header.size();
  // The content goes its own way: closing a writer that is not marked as failed would make up for
  // it with zeros. A failed writer that is freed without closing leaks; closing appends the end
  // mark.
  archive_write_fail(writer.get());
  archive_write_close(writer.get());
  header.resize(size);
  if (!written) {
    throw Error(ErrorKind::kSource,
                fmt::format("{} cannot be a member of a tar archive", info.path))
        .Cause(cause);
  }
  return header;
}

MemberInfo DecodeTarHeader(std::string_view header) {
  const Utf8Scope utf8;
  const ArchiveObject reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_memory(reader.get(), header.data(), header.size()) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK) {
    throw Error(ErrorKind::kCorrupt, "a tar header is damaged")
        .Cause(TextOrEmpty(archive_error_string(reader.get())));
  }
  return MemberInfoOfEntry(entry);
}

MemberInfo MemberInfoOfEntry(archive_entry* entry) {
  MemberInfo info;
  info.path = WithoutDots(TextOrEmpty(archive_entry_pathname(entry)));
  const auto type = archive_entry_filetype(entry);
  if (const char* const target = archive_entry_hardlink(entry)) {
    info.type = MemberType::kHardlink;
    info.link_target = target;
  } else if (type == AE_IFLNK) {
    info.type = MemberType::kSymlink;
    info.link_target = TextOrEmpty(archive_entry_symlink(entry));
  } else if (type == AE_IFDIR) {
    info.type = MemberType::kDirectory;
  } else if (type == AE_IFREG) {
    info.size = static_cast<uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry)));
  } else {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} is a device, pipe or socket, which no backup holds", info.path));
  }
  info.mode = archive_entry_perm(entry) & 07777;
  info.uid = static_cast<uint64_t>(archive_entry_uid(entry));
  info.gid = static_cast<uint64_t>(archive_entry_gid(entry));
  info.user = TextOrEmpty(archive_entry_uname(entry));
  info.group = TextOrEmpty(archive_entry_gname(entry));
  info.mtime_seconds = archive_entry_mtime(entry);
  info.mtime_nanoseconds = archive_entry_mtime_nsec(entry);
  archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    info.xattrs.emplace(name, std::string(static_cast<const char*>(value), size));
  }
  return info;
}

void CheckMemberPath(std::string_view path) {
  bool safe = !path.empty() && path.front() != '/' && path.find('\0') == std::string_view::npos;
  for (std::string_view rest = path; safe && !rest.empty();) {
    const size_t slash = rest.find('/');
    safe = rest.substr(0, slash) != "..";
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  if (safe) return;
  throw Error(ErrorKind::kCorrupt,
              fmt::format("the archive holds a member with the unsafe path '{}'", path))
      .Hint("do not trust this archive: its paths lead out of the folder that is restored");
}

}  // namespace oxbackup
