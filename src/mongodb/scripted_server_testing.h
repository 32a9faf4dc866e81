// A server that speaks MongoDB's wire protocol on a loopback port and answers what a test tells it
// to: for everything that no server of the testbed has (applyOps, oplog, killed cursors, faults).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "mongodb/bson.h"

namespace oxbackup::mongodb {

/// A command as it came; document sequences (`documents`, `updates`, `deletes`) are back in `body`
/// as arrays.
struct ScriptedCommand {
  std::string db;
  std::string name;         ///< "insert"
  std::string body;         ///< the raw BSON
  uint64_t connection = 0;  ///< numbered from 1

  /// The text of the first element: the collection of most commands.
  std::string target() const;
  /// A text by its path of names; empty when there is none.
  std::string Text(std::initializer_list<std::string_view> path) const;
};

/// Returns the reply, or nothing to let the next handler answer.
using CommandHandler = std::function<std::optional<Bson>(const ScriptedCommand&)>;

/// A BSON array of documents.
Bson ArrayOf(const std::vector<std::string>& documents);
/// `{ok: 1}` with further fields from extended JSON.
Bson OkReply(std::string_view json = "{}");
/// `{ok: 0, code, codeName, errmsg}`.
Bson ErrorReply(int32_t code, std::string_view code_name, std::string_view message);

/// Listens from construction to destruction, with a thread a connection. All methods are
/// thread-safe. Handlers are asked the newest first; they run on the connection's thread, one at a
/// time unless a fault holds one. `hello`, `isMaster`, `ping` and `endSessions` are answered by
/// itself when no handler does, anything else with 59 CommandNotFound.
class ScriptedServer {
 public:
  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  uint16_t port() const { return port_; }
  /// "mongodb://127.0.0.1:PORT/".
  std::string uri() const;
  /// Wire version of the handshake: 9 for 4.4 (the default), 13 for 5.0, 21 for 7.0.
  void SetMaxWireVersion(int32_t version);

  /// `name`: of a command; empty: every command.
  void Handle(std::string name, CommandHandler handler);

  /// Faults act on the commands of that name for which `when` holds (empty: all), after `skip` of
  /// them went through, `times` times (0: for ever).
  struct Fault {
    std::string command;
    int skip = 0;
    int times = 1;
    std::function<bool(const ScriptedCommand&)> when = {};
  };
  /// Answers with an error (the command does nothing).
  void Fail(Fault fault, int32_t code, std::string message = "a fault of the test");
  /// Closes the connection: before the command does anything, or after it did and before its reply.
  void Drop(Fault fault, bool after_applying);
  /// Holds the command back until Release. WaitUntilHeld returns once one is held.
  void Hold(Fault fault);
  void WaitUntilHeld();
  void Release();

  /// Every command so far, in order, without the handshake's.
  std::vector<ScriptedCommand> Commands(std::string_view name = {}) const;
  void ForgetCommands();

 private:
  enum class Action { kNone, kFail, kDropBefore, kDropAfter, kHold };
  struct Rule {
    Fault fault;
    Action action;
    Bson reply;
    int seen = 0;
  };

  void Accept();
  void Serve(int socket, uint64_t connection);
  /// Nothing: close the connection.
  std::optional<Bson> Answer(const ScriptedCommand& command);
  Action MatchFault(const ScriptedCommand& command, Bson* reply);
  Bson BuiltIn(const ScriptedCommand& command) const;

  int listener_ = -1;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::mutex handling_;  // one handler at a time
  std::condition_variable changed_;
  std::list<std::pair<std::string, CommandHandler>> handlers_;  // guarded by mutex_
  std::list<Rule> rules_;                                       // guarded by mutex_
  std::vector<ScriptedCommand> commands_;                       // guarded by mutex_
  std::vector<int> sockets_;                                    // guarded by mutex_
  std::vector<std::thread> threads_;                            // guarded by mutex_
  int held_ = 0;                                                // guarded by mutex_
  bool released_ = false;                                       // guarded by mutex_
  bool closing_ = false;                                        // guarded by mutex_
  int32_t wire_version_ = 9;                                    // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace oxbackup::mongodb
