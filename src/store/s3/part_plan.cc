#include "store/s3/part_plan.h"

#include <algorithm>
#include <cmath>

namespace oxbackup::s3 {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kMaxPartBytes = uint64_t{5} << 30;
constexpr uint64_t kMaxObjectBytes = uint64_t{5} << 40;
constexpr int kRelaxedDoublingParts = 1000;
constexpr int kGrowingFrom = PartPlan::kMaxParts / 2;

}  // namespace

PartPlan::PartPlan(uint64_t memory, bool equal)
    : window_(std::max(memory / 4, 2 * kFirstPartBytes)),
      equal_(equal),
      doubling_parts_(kRelaxedDoublingParts) {
  // As slowly as it can.
  while (!equal_ && TotalBytes() < kMaxObjectBytes) doubling_parts_ *= 0.97;
}

uint64_t PartPlan::PartBytes(int number) const {
  const uint64_t largest = std::clamp(window_ / 2 / kMiB * kMiB, kFirstPartBytes, kMaxPartBytes);
  if (equal_) return largest;
  const int doublings = std::min((number - 1) / kRelaxedDoublingParts, 20);
  const uint64_t relaxed = std::min(kFirstPartBytes << doublings, largest);
  if (number <= kGrowingFrom) return relaxed;
  const uint64_t begin =
      std::min(kFirstPartBytes << (kGrowingFrom / kRelaxedDoublingParts), largest);
  const double growth = std::exp2((number - kGrowingFrom) / doubling_parts_);
  const double size = static_cast<double>(begin) * growth;
  return size >= static_cast<double>(kMaxPartBytes) ? kMaxPartBytes
                                                    : static_cast<uint64_t>(size) / kMiB * kMiB;
}

uint64_t PartPlan::TotalBytes() const {
  uint64_t total = 0;
  for (int number = 1; number <= kMaxParts; ++number) total += PartBytes(number);
  return total;
}

}  // namespace oxbackup::s3
