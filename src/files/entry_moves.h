// Bringing single entries of a tree in and back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "base/file_descriptor.h"
#include "files/swap_place.h"

namespace oxbackup::files {

/// The open folders of a swap: the working folder, its new/ and old/, and the one that holds what
/// is live.
struct SwapFolders {
  FileDescriptor work;
  FileDescriptor fresh;
  FileDescriptor old;
  FileDescriptor live;
};

/// Below the working folder: what the site had made where the swap needed the place. It stays for
/// somebody to look at, and is no part of a backup.
inline constexpr char kStrays[] = "strays";

/// Moves entries between the folders by renaming, so that each is whole at every moment. What is
/// left to be done follows from which folders an entry's inode and other entries of its name are
/// in; every call can be repeated after a death at any point. What the site has made in the way
/// since is set aside to strays/. All errors are Error(kSource). `folders` and `place` must outlive
/// it.
class EntryMoves {
 public:
  EntryMoves(const SwapFolders& folders, const SwapPlace& place,
             std::function<void(const std::string&)> before_step)
      : work_(folders.work.get()),
        fresh_(folders.fresh.get()),
        old_(folders.old.get()),
        live_(folders.live.get()),
        place_(place),
        before_step_(std::move(before_step)) {}

  /// Makes the entry with this inode live; the one that it replaces goes to old/.
  void BringIn(const std::string& name, uint64_t inode) const;
  /// Brings a live entry that has no successor to old/.
  void TakeOut(const std::string& name) const;
  /// The opposite of BringIn: the old entry is live, the one with this inode is not.
  void BringBack(const std::string& name, uint64_t inode) const;
  /// The opposite of TakeOut.
  void PutBack(const std::string& name) const;

 private:
  bool Exchange(int one, int other, const std::string& name) const;
  void Move(int from, int to, const std::string& name) const;
  bool TryMove(int from, int to, const std::string& name) const;
  void SetAside(const std::string& name) const;

  int work_;
  int fresh_;
  int old_;
  int live_;
  const SwapPlace& place_;
  std::function<void(const std::string&)> before_step_;
};

}  // namespace oxbackup::files
