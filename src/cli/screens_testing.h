// What tests of whole screens show: an archive and its manifest.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>

#include "cli/terminal.h"
#include "engine/archive_list.h"

namespace oxbackup {

inline constexpr TerminalStyle kPlain{.width = 80, .unicode = true, .colour = false};

class ScreensTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  static TimePoint At(const std::string& text) { return *ParseRfc3339(text); }
  static Manifest SomeManifest() {
    Manifest manifest;
    manifest.tool_version = "5.0.0";
    manifest.host = "campus.example.org";
    manifest.compression = "xz:1";
    manifest.started = At("2026-11-22T20:48:00Z");
    manifest.finished = At("2026-11-22T20:48:31Z");
    manifest.skew_ms = 11;
    ComponentManifest mysql;
    mysql.name = "mysql";
    mysql.server_flavour = "MySQL";
    mysql.server_version = "8.4.0";
    mysql.consistency = "global read lock";
    mysql.lock_ms = 38;
    mysql.objects.push_back({.database = "openedx",
                             .name = "auth_user",
                             .kind = "table",
                             .items = 1204311,
                             .raw_bytes = 812000000,
                             .digest = "7f3a00000000000000000000000000c1",
                             .details = {}});
    mysql.objects.push_back({.database = "openedx",
                             .name = "v",
                             .kind = "view",
                             .items = 0,
                             .raw_bytes = 100,
                             .digest = "",
                             .details = {}});
    ComponentManifest caddy;
    caddy.name = "caddy";
    caddy.objects.push_back({.database = "",
                             .name = "caddy",
                             .kind = "tree",
                             .items = 17,
                             .raw_bytes = 20480,
                             .digest = "09be00000000000000000000000000aa",
                             .details = {}});
    manifest.components = {mysql, caddy};
    manifest.blocks = {{.stored_size = 100, .raw_size = 812020580, .digest = ""}};
    return manifest;
  }
  static ArchiveEntry Entry(const std::string& name, const std::string& made, uint64_t size) {
    ArchiveEntry entry;
    entry.object.name = name;
    entry.object.size = size;
    entry.made = At(made);
    entry.manifest = std::make_unique<Manifest>(SomeManifest());
    return entry;
  }
};

}  // namespace oxbackup
