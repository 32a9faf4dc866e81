#include "mongodb/oplog_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "mongodb/live_names.h"

namespace oxbackup::mongodb {
namespace {

constexpr size_t kPieceBytes = size_t{4} << 20;
constexpr int64_t kPiecesOfAPart = int64_t{1} << 32;
constexpr char kGenericBinary = '\0';

std::string OplogCollection() { return "oplog" + std::string(kRestoreSuffix); }

int64_t PartNumber(const std::string& part) {
  int64_t number = 0;
  std::from_chars(part.data(), part.data() + part.size(), number);
  return number;
}

size_t Fill(ByteSource& content, std::string& buffer) {
  size_t filled = 0;
  while (filled < buffer.size()) {
    const size_t read = content.Read(buffer.data() + filled, buffer.size() - filled);
    if (read == 0) break;
    filled += read;
  }
  return filled;
}

// A binary value: its length, its subtype, its bytes.
std::string BinaryValue(std::string_view bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  std::string value;
  for (int at = 0; at < 4; ++at) value += static_cast<char>((size >> (8 * at)) & 0xff);
  value += kGenericBinary;
  return value.append(bytes);
}

class StoredPieces final : public ByteSource {
 public:
  StoredPieces(SessionPool::Lease session, const std::string& database)
      : session_(std::move(session)),
        cursor_(*session_, database,
                Bson().Add("find", OplogCollection()).Add("sort", Bson().Add("_id", int32_t{1})),
                /*batch_size=*/1) {}

  size_t Read(char* buffer, size_t size) override {
    while (left_.empty()) {
      if (!cursor_.NextOrThrow("MongoDB does not give back the stored oplog")) return 0;
      const auto data = FindField(cursor_.document(), "data");
      left_ = data ? data->value.substr(std::min<size_t>(5, data->value.size())) : "";
    }
    const size_t taken = std::min(size, left_.size());
    std::memcpy(buffer, left_.data(), taken);
    left_.remove_prefix(taken);
    return taken;
  }

 private:
  SessionPool::Lease session_;
  Cursor cursor_;
  std::string_view left_;  // into the cursor's document
};

}  // namespace

void OplogStore::Add(const std::string& part, ByteSource& content) {
  const SessionPool::Lease session = pool_.Take();
  if (!filled_) DropCollection(*session, database_, OplogCollection());
  filled_ = true;
  std::string buffer(kPieceBytes, '\0');
  int64_t id = PartNumber(part) * kPiecesOfAPart;
  const std::string what = "MongoDB does not store the archive's oplog";
  while (const size_t filled = Fill(content, buffer)) {
    Bson piece = Bson().Add("_id", id++);
    piece.AddValue("data", BsonType::kBinary, BinaryValue({buffer.data(), filled}));
    const Bson reply = session->Run(
        database_,
        Bson().Add("insert", OplogCollection()).AddArray("documents", Bson().Add("0", piece)),
        what);
    if (const auto errors = FindField(reply.bytes(), "writeErrors")) {
      throw Error(ErrorKind::kSource, what).Cause(ToJson(reply.bytes()));
    }
  }
}

std::unique_ptr<ByteSource> OplogStore::Open() {
  return std::make_unique<StoredPieces>(pool_.Take(), database_);
}

void OplogStore::Drop(Session& session) {
  if (filled_) DropCollection(session, database_, OplogCollection());
  filled_ = false;
}

}  // namespace oxbackup::mongodb
