#include "mongodb/recorded_replies_testing.h"

#include <lzma.h>

#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

#include "mongodb/extended_json.h"

namespace oxbackup::mongodb {
namespace {

using Recording = std::map<std::string, std::deque<Bson>>;

// The command without what drivers and the recording's own client added, as a key to find it by.
std::string CommandKey(std::string_view database, std::string_view command) {
  static const std::set<std::string_view> added = {
      "lsid", "$db", "$clusterTime", "$readPreference", "txnNumber", "writeConcern", "apiVersion"};
  Bson plain;
  FieldWalker walker(command);
  while (const auto field = walker.Next()) {
    if (!added.contains(field->key)) plain.Add(field->key, *field);
  }
  return std::string(database) + " " + ToJson(plain.bytes());
}

Bson ReplyOf(std::string_view reply) {
  Bson plain;
  FieldWalker walker(reply);
  while (const auto field = walker.Next()) {
    // With a topologyVersion libmongoc would ask for streamed answers; a recorded $clusterTime is
    // of another cluster than the next one.
    if (field->key != "topologyVersion" && field->key != "$clusterTime") {
      plain.Add(field->key, *field);
    }
  }
  return plain;
}

}  // namespace

std::string ReadXzFixture(const std::string& path) {
  std::ifstream file(std::string(OPENEDX_BACKUP_FIXTURES) + "/" + path, std::ios::binary);
  const std::string packed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  lzma_stream decoder = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&decoder, UINT64_MAX, 0) != LZMA_OK) throw std::runtime_error("liblzma");
  decoder.next_in = reinterpret_cast<const uint8_t*>(packed.data());
  decoder.avail_in = packed.size();
  std::string plain;
  std::string buffer(size_t{1} << 16, '\0');
  lzma_ret state = LZMA_OK;
  while (state == LZMA_OK) {
    decoder.next_out = reinterpret_cast<uint8_t*>(buffer.data());
    decoder.avail_out = buffer.size();
    state = lzma_code(&decoder, LZMA_FINISH);
    plain.append(buffer, 0, buffer.size() - decoder.avail_out);
  }
  lzma_end(&decoder);
  if (state != LZMA_STREAM_END) throw std::runtime_error("no whole xz file: " + path);
  return plain;
}

void AnswerFromRecording(ScriptedServer& server, const std::string& kind, const std::string& user) {
  const auto recording = std::make_shared<Recording>();
  const std::string lines = ReadXzFixture("mongod/replies.jsonl.xz");
  size_t at = 0;
  while (at < lines.size()) {
    const size_t end = lines.find('\n', at);
    const Bson line = FromJson(std::string_view(lines).substr(at, end - at), "a recorded reply");
    at = end + 1;
    if (FindField(line.bytes(), "server")->AsText() != kind) continue;
    if (FindField(line.bytes(), "user")->AsText() != user) continue;
    const std::string key = CommandKey(FindField(line.bytes(), "db")->AsText().value(),
                                       FindField(line.bytes(), "command")->AsDocument().value());
    (*recording)[key].push_back(ReplyOf(FindField(line.bytes(), "reply")->AsDocument().value()));
  }
  if (recording->empty()) throw std::runtime_error("nothing was recorded of " + kind);
  server.Handle("", [recording](const ScriptedCommand& command) -> std::optional<Bson> {
    if (command.name == "hello" || command.name == "isMaster") return std::nullopt;
    const auto found = recording->find(CommandKey(command.db, command.body));
    if (found == recording->end()) return std::nullopt;
    const Bson reply = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
    return reply;
  });
}

}  // namespace oxbackup::mongodb
