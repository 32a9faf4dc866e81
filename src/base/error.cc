#include "base/error.h"

#include <cstring>
#include <utility>

namespace oxbackup {

std::string_view ErrorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kSource:
      return "source";
    case ErrorKind::kStore:
      return "store";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "internal";
}

Error::Error(ErrorKind kind, const std::string& what_failed)
    : std::runtime_error(what_failed), kind_(kind) {}

Error& Error::While(std::string context) {
  contexts_.push_back(std::move(context));
  return *this;
}

Error& Error::Cause(std::string cause) {
  cause_ = std::move(cause);
  return *this;
}

Error& Error::Tried(std::string tried) {
  tried_ = std::move(tried);
  return *this;
}

Error& Error::Hint(std::string hint) {
  if (hint_.empty()) hint_ = std::move(hint);
  return *this;
}

Error& Error::Outcome(std::string outcome) {
  outcome_ = std::move(outcome);
  return *this;
}

Error& Error::Transient() {
  transient_ = true;
  return *this;
}

Error SystemError(ErrorKind kind, const std::string& what_failed, int error_number) {
  return Error(kind, what_failed).Cause(std::strerror(error_number));
}

Error CancelledError() { return Error(ErrorKind::kCancelled, "stopped on request"); }

}  // namespace oxbackup
