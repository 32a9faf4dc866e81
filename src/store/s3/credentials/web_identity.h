// Keys from AWS's security token service (STS) for a token of somebody else's, as a Kubernetes
// cluster mounts it (IAM roles for service accounts).
#pragma once

#include <stop_token>
#include <string>

#include "base/environment.h"
#include "http/http_client.h"
#include "store/s3/credentials/credentials.h"

namespace oxbackup::s3 {

struct WebIdentity {
  std::string token_file;
  std::string role_arn;
  std::string session_name = {};  ///< as AWS's logs will show it; empty: "openedx-backup"
};

/// The region whose STS is asked: the settings', else FindRegion's.
std::string StsRegion(const CredentialSettings& settings, const Environment& environment);

/// AWS_ENDPOINT_URL_STS, else the service of the region, else the global one. Throws Error(kUsage)
/// for a region that cannot be a part of a host's name.
std::string StsEndpoint(const std::string& region, const Environment& environment);

/// Exchanges the token, which is read from its file now, for keys of the role. Throws Error(kUsage)
/// when the file has none, Error(kStore) when STS refuses or answers something else (transient()
/// when it may not later), Error(kCancelled). Source: AWS STS API Reference,
/// AssumeRoleWithWebIdentity.
Credentials AssumeRole(const WebIdentity& identity, const std::string& endpoint, HttpClient& http,
                       const std::stop_token& stop);

}  // namespace oxbackup::s3
