#include <utility>

#include "mongodb/session.h"

namespace oxbackup::mongodb {
namespace {

constexpr char kFirstBatch[] = "firstBatch";
constexpr char kNextBatch[] = "nextBatch";

}  // namespace

Cursor::Cursor(Session& session, std::string_view database, const Bson& command, int32_t batch_size)
    : session_(session), database_(database), batch_size_(batch_size) {
  Take(session_.TryRun(database_, command), kFirstBatch);
}

Cursor::~Cursor() {
  if (id_ != 0) session_.KillCursor(database_, collection_, id_);
}

void Cursor::Take(Reply reply, std::string_view batch_name) {
  batch_.reset();
  reply_ = std::move(reply);
  if (reply_.failure) {
    failure_ = reply_.failure;
    id_ = 0;
    return;
  }
  const std::string_view bytes = reply_.document.bytes();
  const auto cursor = FindField(bytes, "cursor");
  const auto fields = cursor ? cursor->AsDocument() : std::nullopt;
  if (!fields) throw Error(ErrorKind::kSource, "MongoDB's reply has no cursor");
  id_ = 0;
  if (const auto id = FindField(*fields, "id")) id_ = id->AsInt().value_or(0);
  if (const auto ns = FindField(*fields, "ns"); ns && ns->AsText()) {
    // The server's own name for it: a find by UUID does not know it beforehand.
    const std::string_view full = *ns->AsText();
    collection_ = full.substr(full.find('.') + 1);
  }
  if (const auto at = FindField(*fields, "atClusterTime")) at_cluster_time_ = at->AsTimestamp();
  const auto batch = FindField(*fields, batch_name);
  if (!batch || !batch->AsDocument()) {
    throw Error(ErrorKind::kSource, "MongoDB's reply has no batch of documents");
  }
  batch_.emplace(*batch->AsDocument());
}

Cursor::Step Cursor::Next() {
  while (!failure_) {
    if (batch_) {
      if (const auto element = batch_->Next()) {
        const auto document = element->AsDocument();
        if (!document) throw Error(ErrorKind::kSource, "MongoDB's batch holds no document");
        document_ = *document;
        return Step::kDocument;
      }
    }
    if (id_ == 0) return Step::kEnd;
    Bson command;
    command.Add("getMore", id_).Add("collection", collection_);
    if (batch_size_ > 0) command.Add("batchSize", batch_size_);
    Take(session_.TryRun(database_, command), kNextBatch);
  }
  return Step::kFailed;
}

bool Cursor::NextOrThrow(const std::string& what_failed) {
  switch (Next()) {
    case Step::kDocument:
      return true;
    case Step::kEnd:
      return false;
    case Step::kFailed:
      break;
  }
  throw failure().ToError(what_failed);
}

}  // namespace oxbackup::mongodb
