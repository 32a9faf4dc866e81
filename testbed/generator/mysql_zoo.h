// Small tables of every MySQL type with its extreme values, of odd names, keys and options: what a
// backup gets wrong first.
#pragma once

#include <string>

#include "mysql_client.h"

namespace sitegen {

/// The database with the awkward name that holds them.
extern const std::string kOddDatabase;

/// Makes the tables in the database that `client` uses.
void MakeTypeZoo(MysqlClient& client);
/// Tables whose definition, rather than content, is the difficulty.
void MakeDefinitionZoo(MysqlClient& client);

}  // namespace sitegen
