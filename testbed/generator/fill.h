// The parts of `fill`, one a server or kind of tree.
#pragma once

#include <string>

#include "flags.h"
#include "model.h"

namespace sitegen {

constexpr const char* kOpenedx = "openedx";
constexpr const char* kNotes = "notes";
constexpr const char* kForum = "cs_comments_service";

/// Throws when one of the site's databases exists already.
void FillMysql(const Servers& servers, const Model& model);
/// Throws when one of the site's databases exists already.
void FillMongodb(const Servers& servers, const Model& model);
/// A Caddy data folder as Caddy lays it out, with certificates and keys that parse.
void FillCaddy(const std::string& folder, const Model& model);
/// The folders openedx-media and openedx-media-private with files of many kinds.
void FillMedia(const std::string& folder, const Model& model);

}  // namespace sitegen
