// Reads the documents of one range of a collection, through killed cursors and renames.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/run_context.h"
#include "mongodb/catalog.h"
#include "mongodb/id_range.h"
#include "mongodb/read_moment.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// How a range of a collection is to be read.
struct RangeRead {
  const CollectionInfo& collection;
  IdRange range;
  bool by_uuid = false;  ///< the server finds by UUID: a renamed collection is still the same one
  std::optional<Timestamp> at_cluster_time;
};

/// One thread at a time. A rename, a dropped index or an idle minute kills a cursor on the server
/// (175 QueryPlanKilled, 43 CursorNotFound); a range in the order of _id then goes on behind its
/// last document, which is what a slower read would have given. Errors are Error(kSource).
class RangeReader {
 public:
  enum class Step {
    kDocument,
    kEnd,
    kStartOver,  ///< what was read so far has to be dropped; the next documents begin anew
    kDropped,    ///< the collection is no longer there
  };

  /// `session` and the collection must outlive the reader.
  RangeReader(Session& session, RangeRead read, const RunContext& run);

  [[nodiscard]] Step Next();
  /// The raw document; valid until the next call of Next().
  std::string_view document() const { return cursor_->document(); }
  /// Its _id; an empty value of the type null where it has none.
  const Element& id() const { return id_; }
  /// Whether part of it was read later than at_cluster_time since the server no longer had that.
  bool left_the_instant() const { return left_the_instant_; }

 private:
  void Open();
  Step Recover(const ServerFailure& failure);
  [[nodiscard]] bool StillThere();

  Session& session_;
  RangeRead read_;
  RunContext run_;
  const int32_t batch_size_;
  std::optional<Cursor> cursor_;
  Element id_;
  std::optional<IdValue> last_;  // of the last document given, when the range is resumable
  bool skip_last_ = false;       // the first document of a reopened range may be the last one
  bool gave_any_ = false;        // documents, by the cursor that is open
  bool left_the_instant_ = false;
  int tries_ = 0;  // since the last document, or the start where it cannot go on
};

}  // namespace oxbackup::mongodb
