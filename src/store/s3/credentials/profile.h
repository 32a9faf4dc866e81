// AWS's two files of profiles, ~/.aws/credentials and ~/.aws/config.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "store/s3/credentials/credentials.h"

namespace oxbackup::s3 {

/// What both files say of one profile; where both say something, the credentials file is right.
struct Profile {
  std::string name = {};
  bool is_asked_for = false;  ///< by name, so it has to be there
  bool is_there = false;
  std::map<std::string, std::string> values = {};  ///< names in lower case
  std::string files = {};                          ///< for messages: the paths of both

  /// Empty when it does not say.
  std::string Value(const std::string& name) const;
};

/// Reads the profile that the settings, AWS_PROFILE or nobody ("default") names from
/// AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE or their places in HOME. Files that are not
/// there count as empty, as do those in HOME that this user may not read; throws Error(kUsage) for
/// one that a variable names and that cannot be read. Source: AWS SDKs and Tools Reference Guide,
/// "Using shared config and credentials files".
Profile ReadProfile(const CredentialSettings& settings, const Environment& environment);

/// Sections of such a file and what they say, names of values in lower case. Nested values and
/// lines that say nothing are left out.
std::map<std::string, std::map<std::string, std::string>> ParseProfiles(std::string_view text);

}  // namespace oxbackup::s3
