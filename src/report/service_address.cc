#include "report/service_address.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace oxbackup {
namespace {

Error NoAddress(const std::string& setting) {
  return Error(ErrorKind::kUsage, setting + " is no address of a web service")
      .Hint(
          "it is one line that begins with https:// or http://; it is not shown here, since it "
          "may be a secret");
}

}  // namespace

ServiceAddress ParseServiceAddress(std::string_view text, const std::string& setting) {
  std::string address(Trim(text));
  const auto is_bad = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  if (std::ranges::any_of(address, is_bad)) throw NoAddress(setting);
  ServiceAddress service{.url = {}, .setting = setting};
  const size_t scheme = address.find("://");
  if (scheme == std::string::npos) throw NoAddress(setting);
  const size_t begin = scheme + 3;
  const size_t end = std::min(address.find_first_of("/?#", begin), address.size());
  const size_t at = address.rfind('@', end);
  if (at != std::string::npos && at >= begin && at < end) {
    service.authorization = "Basic " + Base64(DecodeUrlPart(address.substr(begin, at - begin)));
    address.erase(begin, at + 1 - begin);
  }
  try {
    service.url = ParseUrl(address);
  } catch (const Error&) {
    throw NoAddress(setting);
  }
  return service;
}

}  // namespace oxbackup
