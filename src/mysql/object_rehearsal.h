// What the server would refuse of a swap's views, triggers, routines and events, found out beside
// the live databases.
#pragma once

#include <string>
#include <vector>

#include "mysql/session.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {

/// Creates the objects in the shadow schemas and drops them again, so that what the server would
/// refuse after the swap is known before it. Events, which the server might run, and objects that
/// speak of databases of the site by name cannot be made there: of them only what their definer,
/// name and kind need is tried. Throws Error(kSource) naming the first that is refused.
void RehearseObjects(Session& session, const std::vector<ObjectScript>& scripts,
                     const std::vector<SwapDatabase>& databases);

/// Tries in the same way, with empty bodies, whether this user could drop and create anew what is
/// live: a swap drops it, and a swap that is taken back creates it.
void RehearseLiveObjects(Session& session, const std::vector<SwapDatabase>& databases);

}  // namespace oxbackup::mysql
