#include "mongodb/write_lock.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "mongodb/account_rights.h"

namespace oxbackup::mongodb {
namespace {

constexpr char kUnlockByHand[] =
    "let its writers go on with db.fsyncUnlock() in mongosh, once no other backup is running";

Error NoLock(const std::string& cause) {
  return Error(ErrorKind::kUsage, "MongoDB's writers cannot be held for one moment of the copy")
      .Cause(cause)
      .Hint(
          "run without --mongodb-write-lock; the manifest then says how the collections were read");
}

}  // namespace

void RefuseLockedServer(Session& session) {
  const Reply reply =
      session.TryRun("admin", Bson().Add("currentOp", int32_t{1}).Add("$ownOps", true));
  const auto locked = FindField(reply.document.bytes(), "fsyncLock");
  if (!reply.ok() || !locked || !locked->IsTrue()) return;
  throw Error(ErrorKind::kSource, "MongoDB is locked against writes (fsyncLock)")
      .Cause("another program holds the lock, or one that held it was killed")
      .Hint(kUnlockByHand);
}

void CheckWriteLock(Session& session) {
  const ServerInfo& server = session.server();
  if (server.flavour == "FerretDB") throw NoLock("FerretDB has no fsync command");
  if (server.topology == Topology::kMongos) throw NoLock("mongos does not lock its shards");
  if (!AccountRights(session).MayAnywhere("fsync")) {
    throw NoLock("the account has no right to fsync; the roles hostManager and clusterAdmin have");
  }
  RefuseLockedServer(session);
}

WriteLock::WriteLock(Session& session, ConnectOptions connect, const RunContext& run)
    : session_(session), connect_(std::move(connect)), run_(run) {
  run_.ThrowIfStopped();
  // Before the reply: one that gets lost leaves a locked server too.
  locked_ = true;
  taken_ = std::chrono::steady_clock::now();
  try {
    const Reply reply = session_.TryRun("admin", Bson().Add("fsync", int32_t{1}).Add("lock", true));
    if (reply.failure) {
      locked_ = false;
      throw reply.failure->ToError("MongoDB does not hold its writers for the copy's moment");
    }
  } catch (const Error&) {
    // No destructor runs for an object whose constructor throws.
    LetGo();
    throw;
  }
  since_ = run_.clock.Now();
}

WriteLock::~WriteLock() { LetGo(); }

void WriteLock::LetGo() {
  try {
    Release();
  } catch (const Error& error) {
    run_.warnings.Add(std::string(error.what()) + ": " + error.cause() + "; " + kUnlockByHand);
  }
}

// Any connection may unlock, and new ones are accepted under the lock.
void WriteLock::Release() {
  if (!locked_) return;
  const Bson command = Bson().Add("fsyncUnlock", int32_t{1});
  try {
    try {
      session_.RunToTidyUp("admin", command);
    } catch (const Error& error) {
      run_.log.Debug("unlocking MongoDB by another connection: {}", error.what());
      Session(connect_, std::stop_token()).RunToTidyUp("admin", command);
    }
  } catch (const Error& error) {
    // The server restarted meanwhile, or the lock was never taken.
    if (error.cause().find("not locked") == std::string::npos) {
      throw Error(ErrorKind::kSource, "MongoDB may still be locked against writes")
          .Cause(error.cause().empty() ? error.what() : error.cause())
          .Hint(kUnlockByHand);
    }
  }
  locked_ = false;
  held_ = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                taken_);
}

}  // namespace oxbackup::mongodb
