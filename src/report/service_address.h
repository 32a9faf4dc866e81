// Addresses of services that are told of runs. They are secrets: whoever knows one can write there.
#pragma once

#include <string>
#include <string_view>

#include "http/url.h"

namespace oxbackup {

struct ServiceAddress {
  /// "PING_URL (hc-ping.com)": all that a message may say of it.
  std::string Name() const { return setting + " (" + url.host + ")"; }

  Url url;                         ///< without user and password
  std::string authorization = {};  ///< the header's value for those; empty without
  std::string setting;             ///< as messages name it, "PING_URL"
};

/// Reads an http:// or https:// address, which may have USER:PASSWORD@ before the host; space
/// around it is dropped. Throws Error(kUsage) that names the setting and never repeats the text.
ServiceAddress ParseServiceAddress(std::string_view text, const std::string& setting);

}  // namespace oxbackup
