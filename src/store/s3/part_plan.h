// How large the parts of an upload are.
#pragma once

#include <cstdint>

namespace oxbackup::s3 {

/// An upload has at most 10,000 parts of 5 MiB to 5 GiB, and how large an archive becomes is not
/// known before its end. So parts begin small and grow: they double every thousand parts up to a
/// size of which two fit into the window, and only an archive that needs more (from 200 GB on with
/// the default memory) gets larger ones, up to 5 TiB in all. Source: "Amazon S3 multipart upload
/// limits".
class PartPlan {
 public:
  static constexpr int kMaxParts = 10'000;
  static constexpr uint64_t kFirstPartBytes = uint64_t{8} << 20;

  /// `memory`: the run's whole budget, bytes.
  explicit PartPlan(uint64_t memory);

  /// The memory that parts on their way take together, as long as one part is no larger.
  uint64_t window_bytes() const { return window_; }
  /// REQUIRES: 1 <= number <= kMaxParts.
  uint64_t PartBytes(int number) const;

 private:
  uint64_t window_;
};

}  // namespace oxbackup::s3
