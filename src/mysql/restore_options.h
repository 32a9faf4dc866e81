// What a restore of MySQL may be told.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace oxbackup::mysql {

struct RestoreOptions {
  std::vector<std::string> databases;  ///< empty: all that the archive has
  int workers = 4;                     ///< connections that load, index and verify; at least 1
  bool binlog = false;     ///< write what is loaded into the server's binary log (for replicas)
  bool flush_logs = true;  ///< FLUSH LOGS after the swap
  bool accounts = true;    ///< restore users and grants
  /// Called before each step of a swap with the step's name: the seam at which tests break it off.
  std::function<void(std::string_view step)> on_step;
};

}  // namespace oxbackup::mysql
