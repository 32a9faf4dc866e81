// Groups small members in a fixed order, so that the same data makes the same blocks.
#pragma once

#include <cstdint>
#include <string>

#include "archive/archive_writer.h"
#include "archive/member.h"

namespace oxbackup {

/// Collects small members that arrive in an order that does not depend on the run (sorted by name)
/// and hands them to the writer in groups. A group ends where a hash of the next member's path says
/// so, so that a new member changes its own group only. A member of kSingleMemberBytes or more gets
/// a group of its own. One thread at a time; several builders may feed one writer.
class GroupBuilder {
 public:
  static constexpr uint64_t kSingleMemberBytes = uint64_t{1} << 20;

  /// `writer` and what `run` refers to must outlive the builder.
  /// `working_bytes`: what the caller needs to make one member; Reserve() takes it together with
  /// the group's own bytes, since waiting for one while holding the other could deadlock.
  GroupBuilder(ArchiveWriter& writer, const RunContext& run, uint64_t working_bytes = 0)
      : writer_(writer), run_(run), working_bytes_(working_bytes) {}

  /// Waits until the budget has room for a group and the working bytes, unless they are held. Add
  /// does it by itself; call it before making a member that needs working bytes.
  void Reserve();

  /// The content counts against the byte budget until it is written, but not while Add waits for
  /// room in it, as it has to when the group was full: until then it is the caller's.
  void Add(Member member);
  /// Hands over what is left. Called once, last.
  void Flush();

 private:
  ArchiveWriter& writer_;
  RunContext run_;
  const uint64_t working_bytes_;
  MemberGroup group_;
  uint64_t bytes_ = 0;
  bool reserved_ = false;  // group_.reservation is held
};

}  // namespace oxbackup
