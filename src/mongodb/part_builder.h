// Cuts the documents of a collection's range into members of the archive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/archive_writer.h"
#include "archive/chunk_cutter.h"
#include "archive/group_builder.h"
#include "base/hash.h"
#include "base/run_context.h"
#include "mongodb/collection_output.h"

namespace oxbackup::mongodb {

/// Cuts the documents of one range into parts and hands them over. One thread.
class PartBuilder {
 public:
  /// `small`: takes parts of small collections to be grouped with others; nullptr: each part is a
  /// group of its own and its memory is reserved before it is filled. All must outlive the builder.
  PartBuilder(CollectionOutput& output, ArchiveWriter& writer, GroupBuilder* small,
              const RunContext& run);

  void Add(std::string_view document, const Element& id);
  /// Hands over what is left and adds the range to the collection's results. Called once, last.
  void Finish();
  /// Forgets what was added. False when some of it is handed over already.
  [[nodiscard]] bool StartOver();

 private:
  void HandOver(bool last);

  CollectionOutput& output_;
  ArchiveWriter& writer_;
  GroupBuilder* const small_;
  RunContext run_;
  ChunkCutter cutter_;
  std::string content_;
  std::string first_id_bytes_;
  Element first_id_;  // into first_id_bytes_
  Reservation reservation_;
  bool cut_ = false;  // the part ends here, if anything follows
  uint64_t part_documents_ = 0;
  uint64_t handed_over_ = 0;
  uint64_t bytes_ = 0;
  ContentDigest digest_;
};

}  // namespace oxbackup::mongodb
