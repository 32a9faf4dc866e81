// What a database holds besides tables: views, triggers, routines and events.
#pragma once

#include "mysql_client.h"

namespace sitegen {

/// Makes them in the database that `client` uses, which must be the filled `openedx`.
void MakeOpenedxObjects(MysqlClient& client);
/// The odd ones, in the database of the zoo.
void MakeOddObjects(MysqlClient& client);

}  // namespace sitegen
