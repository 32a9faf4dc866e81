#include "files/entry_moves.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <optional>

#include "base/error.h"
#include "files/folder_tools.h"

namespace oxbackup::files {
namespace {

bool MeansNotSupported(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

bool IsThere(int folder, const std::string& name) { return InodeAt(folder, name).has_value(); }

bool IsOther(int folder, const std::string& name, uint64_t inode) {
  const std::optional<uint64_t> there = InodeAt(folder, name);
  return there && *there != inode;
}

}  // namespace

void EntryMoves::BringIn(const std::string& name, uint64_t inode) const {
  if (InodeAt(live_, name) != inode) {
    // In old/ when an undo that was begun has exchanged it.
    const int source = InodeAt(fresh_, name) == inode ? fresh_ : old_;
    if (InodeAt(source, name) == inode) {
      // With the old one moved already, what is live was made since.
      const bool old_is_out =
          IsOther(old_, name, inode) || (source == old_ && IsThere(fresh_, name));
      if (old_is_out && IsThere(live_, name)) SetAside(name);
      if (!IsThere(live_, name)) {
        Move(source, live_, name);
      } else if (!Exchange(live_, source, name)) {
        Move(live_, source == fresh_ ? old_ : fresh_, name);
        Move(source, live_, name);
      }
    } else if (!IsThere(fresh_, name) && !IsThere(old_, name)) {
      throw Error(ErrorKind::kSource,
                  fmt::format("{} has vanished from {}", name, place_.work.string()))
          .Hint("go back to the old data (restore --undo)");
    }
    // Else it was live, since the old one is out: the site has replaced or removed it since.
  }
  // After an exchange the old one is where the new one was.
  if (IsOther(fresh_, name, inode)) Move(fresh_, old_, name);
}

void EntryMoves::TakeOut(const std::string& name) const {
  // Moved already, and made anew since.
  if (IsThere(old_, name)) return SetAside(name);
  Move(live_, old_, name);
}

void EntryMoves::BringBack(const std::string& name, uint64_t inode) const {
  const bool in_old = IsOther(old_, name, inode);
  // In new/ when death came between the exchange and the move to old/.
  if (!in_old && !IsOther(fresh_, name, inode)) {
    // Never moved, back already, or there was none.
    if (InodeAt(live_, name) == inode) Move(live_, fresh_, name);
    return;
  }
  const int source = in_old ? old_ : fresh_;
  if (InodeAt(live_, name) == inode) {
    if (Exchange(live_, source, name)) return;
    Move(live_, in_old ? fresh_ : old_, name);
  } else if (IsThere(live_, name)) {
    SetAside(name);
  }
  Move(source, live_, name);
}

void EntryMoves::PutBack(const std::string& name) const {
  if (IsThere(live_, name)) SetAside(name);
  Move(old_, live_, name);
}

bool EntryMoves::Exchange(int one, int other, const std::string& name) const {
  before_step_("exchange " + name);
  if (::renameat2(one, name.c_str(), other, name.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (MeansNotSupported(errno)) return false;
  throw SystemError(ErrorKind::kSource,
                    fmt::format("cannot exchange {} in {}", name, place_.live.string()), errno)
      .Hint("check that nothing is mounted there and that this user may write there");
}

void EntryMoves::Move(int from, int to, const std::string& name) const {
  if (TryMove(from, to, name)) return;
  throw SystemError(ErrorKind::kSource,
                    fmt::format("cannot move {} of {}", name, place_.live.string()), errno)
      .Hint("check that nothing is mounted there and that this user may write there");
}

bool EntryMoves::TryMove(int from, int to, const std::string& name) const {
  before_step_("move " + name);
  if (::renameat2(from, name.c_str(), to, name.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (!MeansNotSupported(errno)) return false;
  if (IsThere(to, name)) {
    errno = EEXIST;
    return false;
  }
  return ::renameat(from, name.c_str(), to, name.c_str()) == 0;
}

void EntryMoves::SetAside(const std::string& name) const {
  const std::string where = (place_.work / kStrays).string();
  const FileDescriptor strays = MakeFolderAt(work_, kStrays, where);
  // Folders with numbers: the same name may come again, and a longer one need not be possible.
  for (int number = 1;; ++number) {
    const std::string inner = std::to_string(number);
    const FileDescriptor folder = MakeFolderAt(strays.get(), inner, where + "/" + inner);
    if (TryMove(live_, folder.get(), name)) {
      SyncFolderOrThrow(folder.get(), where);
      return;
    }
    if (errno == EEXIST) continue;
    throw SystemError(ErrorKind::kSource,
                      fmt::format("cannot set {} aside", (place_.live / name).string()), errno)
        .Hint("check that nothing is mounted there and that this user may write there");
  }
}

}  // namespace oxbackup::files
