// The parts of `fingerprint`. Each returns sorted lines without their line ends; equal sites give
// equal lines.
#pragma once

#include <string>
#include <vector>

#include "flags.h"

namespace sitegen {

/// All databases that are not the server's own, or those named.
std::vector<std::string> FingerprintMysql(const Servers& servers,
                                          std::vector<std::string> databases);
std::vector<std::string> FingerprintMongodb(const Servers& servers,
                                            std::vector<std::string> databases);
/// Every path below `folder`, and the folder itself as "."; `label` starts each line.
std::vector<std::string> FingerprintFiles(const std::string& label, const std::string& folder);

/// The text with blanks, control characters, '%' and bytes that are not ASCII as %XX: one word.
std::string OneWord(std::string_view text);

}  // namespace sitegen
