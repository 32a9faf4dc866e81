// HTTP messages as bytes on a socket, for test servers and proxies that have to misbehave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"

namespace oxbackup {

/// A connected TCP socket. One thread reads and writes; Shutdown and Reset may come from any.
class RawConnection {
 public:
  explicit RawConnection(FileDescriptor socket);
  /// Connects to an IPv4 address. Throws Error(kInternal).
  RawConnection(const std::string& address, uint16_t port);

  /// A message's head, through its blank line; nothing when the peer closed before it was whole.
  std::optional<std::string> ReadHead();
  /// Up to `size` bytes, at least one; empty at the end of the stream.
  std::string ReadSome(size_t size);
  /// `size` bytes, fewer at the end of the stream.
  std::string Read(size_t size);
  /// A chunked body as it came, framing included; cut off at the end of the stream.
  std::string ReadChunked();
  /// False when the peer does not take them.
  bool Write(std::string_view bytes);
  /// Returns once the peer has closed, or after Shutdown. Reads nothing: the peer's bytes back up.
  void WaitClosed();

  /// Ends the stream in both directions, in the orderly way. The number of the socket stays taken.
  void Shutdown();
  /// Closes with a reset: the peer's next read or write fails.
  void Reset();

 private:
  bool Fill();
  int number();

  std::mutex mutex_;
  FileDescriptor socket_;  // guarded by mutex_
  std::string ahead_;      // read and not yet asked for
};

/// A header of a head, its name in lower case; nothing when there is none.
std::optional<std::string> HeaderOf(std::string_view head, std::string_view name);

enum class Loopback { kIpv4, kIpv6 };

/// A socket that listens on a free port of 127.0.0.1 or ::1.
struct Listener {
  FileDescriptor socket;
  uint16_t port = 0;
};
/// Throws Error(kInternal).
Listener ListenOnLoopback(Loopback loopback = Loopback::kIpv4);

}  // namespace oxbackup
