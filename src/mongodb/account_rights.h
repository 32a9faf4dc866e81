// What the account of a session may do, as far as the server says.
#pragma once

#include <string_view>
#include <vector>

#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// The privileges that connectionStatus shows. Nothing is known without authentication and on
/// servers that do not show them: then everything counts as allowed, and the server will refuse
/// what is not.
class AccountRights {
 public:
  explicit AccountRights(Session& session);

  /// Whether it may do `action` on that collection, or, for an empty name, on every collection of
  /// the database that is not the server's own.
  [[nodiscard]] bool May(std::string_view action, std::string_view database,
                         std::string_view collection) const;
  /// Whether it may do `action` on anything at all.
  [[nodiscard]] bool MayAnywhere(std::string_view action) const;

 private:
  bool known_ = false;
  std::vector<Bson> privileges_;
};

}  // namespace oxbackup::mongodb
