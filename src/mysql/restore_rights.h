// What a restore's account has to be allowed to do, as far as that can be told before anything is
// tried.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/session.h"

namespace oxbackup::mysql {

/// The rights of a session's user. All methods throw Error(kSource), naming what is missing and
/// what to do. What cannot be told, as of rights that come by a role, is not refused: the rehearsal
/// of a restore finds it out before the swap. `session` must outlive it.
class HeldRights {
 public:
  explicit HeldRights(Session& session);

  /// Refuses when a right is missing that every restore needs.
  void RefuseMissing() const;
  /// Refuses when views, routines or events of these databases run as an account with the right
  /// SYSTEM_USER, which this user lacks: MySQL (8.0.16 and later) lets it neither drop nor create
  /// them.
  void RefuseProgramsOfSystemUsers(const std::vector<std::string>& databases) const;
  /// Refuses when the server, for its binary log's sake, lets this user create no trigger and no
  /// function.
  void RefuseWithoutTrust() const;

 private:
  bool MayHave(std::string_view right) const;

  Session& session_;
  std::set<std::string> held_;
  bool has_role_ = false;
};

/// True when the databases have triggers or functions.
bool HasProgramsThatNeedTrust(Session& session, const std::vector<std::string>& databases);

}  // namespace oxbackup::mysql
