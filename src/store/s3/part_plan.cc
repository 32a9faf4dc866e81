#include "store/s3/part_plan.h"

#include <algorithm>

namespace oxbackup::s3 {
namespace {

constexpr uint64_t kMaxPartBytes = uint64_t{5} << 30;
constexpr int kDoublingParts = 1000;
// The last fifth has to take what is left of 5 TiB.
constexpr int kUrgentFrom = 8000;
constexpr int kUrgentDoublingParts = 100;

}  // namespace

PartPlan::PartPlan(uint64_t memory) : window_(std::max(memory / 4, 2 * kFirstPartBytes)) {}

uint64_t PartPlan::PartBytes(int number) const {
  const int doublings = std::min((number - 1) / kDoublingParts, 20);
  const uint64_t relaxed = std::clamp(kFirstPartBytes << doublings, kFirstPartBytes, window_ / 2);
  if (number <= kUrgentFrom) return relaxed;
  const int urgent = (number - kUrgentFrom - 1) / kUrgentDoublingParts + 1;
  return std::min(relaxed << urgent, kMaxPartBytes);
}

}  // namespace oxbackup::s3
