# Every library comes from the distribution's packages (Debian 12 and 13, Ubuntu 24.04).
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(MARIADB REQUIRED IMPORTED_TARGET libmariadb)
pkg_check_modules(MONGOC REQUIRED IMPORTED_TARGET libmongoc-1.0)
pkg_check_modules(LZMA REQUIRED IMPORTED_TARGET liblzma>=5.4)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)

add_library(openedx_backup_dependencies INTERFACE)
target_link_libraries(openedx_backup_dependencies INTERFACE
  Threads::Threads PkgConfig::MARIADB PkgConfig::MONGOC PkgConfig::LZMA PkgConfig::ZSTD
  PkgConfig::ARCHIVE PkgConfig::ZLIB PkgConfig::XXHASH PkgConfig::CRYPTO PkgConfig::CURL PkgConfig::PUGIXML
  PkgConfig::TOMLPLUSPLUS
  fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json CLI11::CLI11)
