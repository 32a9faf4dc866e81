// The JSON that courseware keeps of a learner's work in one block.
#pragma once

#include <string>
#include <string_view>

#include "random.h"

namespace sitegen {

/// The state of a block of that type; `hex` is the block's name. Mostly under 2 KB.
std::string StudentState(Random& random, std::string_view type, std::string_view hex);

/// One of the rare huge ones: a JSON document of about `bytes` bytes.
std::string HugeState(Random& random, size_t bytes);

}  // namespace sitegen
