#include "store/s3/upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <random>

#include "base/bounded_queue.h"
#include "base/hash.h"
#include "base/pause.h"
#include "base/task_group.h"
#include "base/text.h"
#include "store/s3/leftover_uploads.h"
#include "store/s3/object_headers.h"
#include "store/s3/upload_proof.h"

namespace oxbackup::s3 {
namespace {

// Enough to fill a fast line in spite of the time that an answer takes; each needs a connection.
constexpr size_t kMostAtOnce = 8;

struct PendingPart {
  int number = 0;
  std::string bytes;
  Reservation memory;  // of the window
};

class Upload final : public ObjectWriter {
 public:
  Upload(const Bucket& bucket, std::string name, std::string id, std::string mark,
         Versioning versioning)
      : bucket_(bucket),
        run_(bucket.client().run()),
        versioning_(versioning),
        name_(std::move(name)),
        upload_(std::move(id)),
        proof_(bucket.client().settings(), std::move(mark)),
        plan_(run_.budget.limit(), Endpoint::WantsEqualParts(bucket.client().settings())),
        standing_(run_.budget.TakeStanding(plan_.window_bytes())),
        window_(plan_.window_bytes()),
        queue_(plan_.window_bytes()),
        senders_(run_.stop) {
    const size_t parts = plan_.window_bytes() / PartPlan::kFirstPartBytes;
    for (size_t i = 0; i < std::clamp<size_t>(parts, 2, kMostAtOnce); ++i) {
      senders_.Run([this](const std::stop_token& stop) { SendParts(stop); });
    }
  }

  ~Upload() override {
    senders_.RequestStop();
    try {
      senders_.Wait();
    } catch (const Error&) {
      // Whoever wrote has been told; here it is only waited for.
    }
    if (!finished_) GiveUp();
  }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  void Write(std::string_view bytes) override {
    while (!bytes.empty()) {
      if (!current_) StartPart();
      const uint64_t wanted = current_->memory.bytes() - current_->bytes.size();
      const std::string_view piece = bytes.substr(0, wanted);
      current_->bytes.append(piece);
      size_ += piece.size();
      bytes.remove_prefix(piece.size());
      if (piece.size() == wanted) PushPart();
    }
  }

  void Finish() override {
    // An upload without parts cannot be completed; an empty part can be the only one.
    if (!current_ && next_number_ == 1) StartPart();
    if (current_) PushPart();
    queue_.Close();
    senders_.Wait();
    std::ranges::sort(parts_, {}, &UploadedPart::number);
    Complete();
  }

  ObjectId id() const override { return id_; }
  std::string Proof() const override { return proof_text_; }

 private:
  void StartPart() {
    if (next_number_ > PartPlan::kMaxParts) {
      throw Error(ErrorKind::kStore, fmt::format("{} does not fit into a bucket", NameText()))
          .Cause(fmt::format("it takes {} parts, which make {} with this --memory",
                             PartPlan::kMaxParts, FormatBytes(plan_.TotalBytes())))
          .Hint(
              "leave a part of the site out (--exclude), compress more (--compression xz:6), or, "
              "below 5 TiB, give it more --memory: parts are as large then");
    }
    PendingPart part;
    part.number = next_number_++;
    const uint64_t size = plan_.PartBytes(part.number);
    if (size > standing_.bytes() && size > plan_.window_bytes()) standing_.Resize(size);
    part.memory = RunOrRethrow([&] { return window_.Take(size, senders_.stop_token()); });
    // The last part is often small: memory is taken as it fills.
    current_.emplace(std::move(part));
  }

  void PushPart() {
    PendingPart part = std::move(*current_);
    current_.reset();
    // What bounds the queue is the window, out of which the part's memory was taken.
    RunOrRethrow([&] { queue_.Push(std::move(part), 1, senders_.stop_token()); });
  }

  // A sender's failure stops the others and whoever waits for them: it is what has to be told.
  template <class Body>
  std::invoke_result_t<Body> RunOrRethrow(Body&& body) {
    try {
      return body();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) senders_.Wait();
      throw;
    }
  }

  void SendParts(const std::stop_token& stop) {
    while (std::optional<PendingPart> part = queue_.Pop(stop)) {
      UploadedPart done =
          bucket_.UploadPart(name_, upload_, part->number, part->bytes, proof_.with_sha256(), stop);
      proof_.AddPart(done);
      const std::lock_guard lock(mutex_);
      parts_.push_back(std::move(done));
    }
  }

  void Complete() {
    const auto taken = [&] {
      return Error(ErrorKind::kStore, fmt::format("{} is there already", NameText()))
          .Cause("another tool or backup has put it there while this one was written")
          .Hint("run the backup again: it takes a name of its own");
    };
    // For servers that do not know If-None-Match.
    if (bucket_.IsTaken(name_, versioning_)) throw taken();
    const std::optional<CompletedUpload> completed = CompleteOrSay();
    const std::optional<ObjectHead> head = LookAfter(completed);
    // Without an answer of its own: whose object is it?
    if (!completed && !head) {
      throw Error(ErrorKind::kStore, fmt::format("{} was not completed", NameText()))
          .Cause("the server has no such object, and no upload of it that could become one")
          .Hint(
              "run the backup again; a rule of the bucket that removes unfinished uploads must "
              "leave them more time than a backup takes");
    }
    if (!completed && !proof_.IsOurs(*head, size_)) throw taken();
    finished_ = true;
    if (!head) {
      throw Error(ErrorKind::kStore,
                  fmt::format("{} vanished right after it was written", NameText()));
    }
    CheckStored(completed, *head);
  }

  std::optional<CompletedUpload> CompleteOrSay() {
    try {
      return bucket_.CompleteUpload(name_, upload_, parts_, versioning_ == Versioning::kEnabled);
    } catch (Error& error) {
      // The server may have done what it did not answer.
      if (error.transient()) {
        error.Outcome(fmt::format("Whether {} was written is not known: openedx-backup list tells.",
                                  NameText()));
      }
      throw;
    }
  }

  std::optional<ObjectHead> LookAfter(const std::optional<CompletedUpload>& completed) {
    // By name alone it could be a version that another run has added meanwhile.
    ObjectId made(name_);
    if (completed) made.version = completed->version;
    try {
      return bucket_.Head(made);
    } catch (Error& error) {
      error.Outcome(fmt::format("{} {} in the bucket, unchecked: openedx-backup verify checks it.",
                                NameText(), completed ? "is" : "may be"));
      throw;
    }
  }

  // Not what we sent: then it must not look like a backup. While another version is being added,
  // versitygw tells of the wrong one for a moment: so it is looked at again before it is removed,
  // or taken for one whose tag says nothing, which is then read back.
  void CheckStored(const std::optional<CompletedUpload>& completed, ObjectHead head) {
    constexpr int kLooks = 3;
    for (int look = 1;; ++look) {
      try {
        proof_text_ = proof_.Check(completed.value_or(CompletedUpload{}), head, size_);
        id_ = head.id;
        if (!proof_text_.empty() || !proof_.TagDiffers(head) || look == kLooks) return;
      } catch (Error& error) {
        if (look == kLooks) {
          error.While("checking " + NameText());
          RemoveOrSay(head.id, error);
          throw;
        }
      }
      Pause(run_.stop, std::chrono::seconds(1));
      if (std::optional<ObjectHead> again = LookAfter(completed)) head = *std::move(again);
    }
  }

  void RemoveOrSay(const ObjectId& id, Error& error) {
    try {
      bucket_.Remove(id);
    } catch (const Error& removal) {
      error.Outcome(fmt::format("{} is in the bucket, damaged, and could not be removed ({}).",
                                NameText(), removal.cause()));
    }
  }

  void GiveUp() {
    std::optional<Error> error = bucket_.AbortUpload(name_, upload_);
    // A part that was on its way then can bring the upload back. Source: "AbortMultipartUpload",
    // Amazon S3 API Reference.
    if (!error && next_number_ > 1) error = bucket_.AbortUpload(name_, upload_);
    if (!error) return;
    run_.warnings.Add(
        fmt::format("the unfinished upload of {} could not be given up ({}): a backup "
                    "on a later day removes it",
                    NameText(), error->what()));
  }

  std::string NameText() const { return bucket_.NameOf(name_); }

  const Bucket bucket_;
  const RunContext run_;
  const Versioning versioning_;
  const std::string name_;
  const std::string upload_;
  UploadProof proof_;
  const PartPlan plan_;
  Reservation standing_;  // of the run's budget: the whole window
  ByteBudget window_;
  std::optional<PendingPart> current_;
  int next_number_ = 1;
  uint64_t size_ = 0;
  bool finished_ = false;
  ObjectId id_;
  std::string proof_text_;
  BoundedQueue<PendingPart> queue_;
  std::mutex mutex_;
  std::vector<UploadedPart> parts_;  // guarded by mutex_ while there are senders
  TaskGroup senders_;
};

HttpHeaders HeadersFor(const Bucket& bucket, const UploadProof& proof) {
  HttpHeaders headers = NewObjectHeaders(bucket.client().settings(), bucket.client().Now());
  headers.emplace_back("x-amz-meta-upload", proof.mark());
  if (proof.with_sha256()) headers.emplace_back("x-amz-checksum-algorithm", "SHA256");
  return headers;
}

// 128 bits.
std::string RandomMark() {
  std::random_device random;
  std::string mark;
  for (int i = 0; i < 4; ++i) mark += fmt::format("{:08x}", random());
  return mark;
}

}  // namespace

std::unique_ptr<ObjectWriter> BeginArchive(const Bucket& bucket,
                                           const std::vector<std::string>& names,
                                           Versioning versioning) {
  const UploadProof proof(bucket.client().settings(), RandomMark());
  const bool takes_first = versioning == Versioning::kEnabled;
  const HttpHeaders headers = HeadersFor(bucket, proof);
  for (const std::string& name : names) {
    const bool last = &name == &names.back();
    if (&name != &names.front()) {
      bucket.client().run().log.Info(
          "the name is taken, or another backup is being written under it: this one is {}",
          bucket.NameOf(name));
    }
    if (!last && bucket.IsTaken(name, versioning)) continue;
    std::string id = bucket.BeginUpload(name, headers);
    auto upload = std::make_unique<Upload>(bucket, name, id, proof.mark(), versioning);
    // Destroyed, it gives its reservation back.
    if (!takes_first && !last && !IsFirst(bucket, name, id)) continue;
    RemoveLeftovers(bucket, name, id);
    return upload;
  }
  throw Error(ErrorKind::kInternal, "an archive without names");
}

}  // namespace oxbackup::s3
