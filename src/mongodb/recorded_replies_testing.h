// Replies of real mongods (tests/fixtures/mongod/replies.jsonl.xz), for the scripted server.
#pragma once

#include <string>

#include "mongodb/scripted_server_testing.h"

namespace oxbackup::mongodb {

/// Lets `server` answer from the recording. `kind`: standalone, replica_set (4.4), standalone_5,
/// replica_set_5, or standalone_auth (4.4). `user` (standalone_auth only): "bk" with the role
/// backup, "both" with backup and restore, "nobody". A command is answered when it was recorded
/// word for word for that database (what drivers add, lsid and the like, does not count); one that
/// was recorded several times is answered in the order of the recording, then with the last reply.
/// Handlers added later are asked first; handshakes are left to the server.
void AnswerFromRecording(ScriptedServer& server, const std::string& kind,
                         const std::string& user = "");

/// Reads a whole xz file of tests/fixtures. Throws std::runtime_error when it cannot.
std::string ReadXzFixture(const std::string& path);

}  // namespace oxbackup::mongodb
