// How large the parts of an upload are.
#pragma once

#include <cstdint>

namespace oxbackup::s3 {

/// An upload has at most 10,000 parts of 5 MiB to 5 GiB, and how large an archive becomes is not
/// known before its end. So parts begin small and grow: they double every thousand parts up to a
/// size of which two fit into the window, and from the middle on they grow a little with each, so
/// that 5 TiB fit: with 256 MiB of memory a part has 64 MiB when 150 GB are written, 256 MiB at 350
/// GB and 1 GiB at 1.1 TB. Source: "Amazon S3 multipart upload limits".
///
/// Cloudflare R2 wants parts of one size: there they have that of which two fit into the window,
/// and the 10,000 of them make less than 5 TiB. Source: its "Multipart upload limits".
class PartPlan {
 public:
  static constexpr int kMaxParts = 10'000;
  static constexpr uint64_t kFirstPartBytes = uint64_t{8} << 20;

  /// `memory`: the run's whole budget, bytes. `equal`: parts of one size.
  explicit PartPlan(uint64_t memory, bool equal = false);

  /// The memory that parts on their way take together, as long as one part is no larger.
  uint64_t window_bytes() const { return window_; }
  /// REQUIRES: 1 <= number <= kMaxParts.
  uint64_t PartBytes(int number) const;
  /// All of them together.
  uint64_t TotalBytes() const;

 private:
  uint64_t window_;
  bool equal_;
  double doubling_parts_;  // of the second half: so many parts double the size
};

}  // namespace oxbackup::s3
