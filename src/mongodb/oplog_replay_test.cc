#include "mongodb/oplog_replay.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"
#include "mongodb/bson_stream.h"
#include "mongodb/extended_json.h"
#include "stream/byte_stream.h"

namespace oxbackup::mongodb {
namespace {

using Files = std::map<std::string, std::string>;

const Files& RecordedCases() {
  static const Files files = [] {
    Files read;
    const std::unique_ptr<archive, decltype(&archive_read_free)> tar(archive_read_new(),
                                                                     &archive_read_free);
    archive_read_support_filter_xz(tar.get());
    archive_read_support_format_tar(tar.get());
    const std::string path = std::string(OPENEDX_BACKUP_FIXTURES) + "/mongod/oplog-cases.tar.xz";
    if (archive_read_open_filename(tar.get(), path.c_str(), 1 << 16) != ARCHIVE_OK) {
      throw std::runtime_error("cannot read " + path);
    }
    archive_entry* entry = nullptr;
    while (archive_read_next_header(tar.get(), &entry) == ARCHIVE_OK) {
      std::string content(static_cast<size_t>(archive_entry_size(entry)), '\0');
      if (archive_read_data(tar.get(), content.data(), content.size()) !=
          static_cast<la_ssize_t>(content.size())) {
        throw std::runtime_error("cannot read a member of " + path);
      }
      std::string name = archive_entry_pathname(entry);
      if (name.starts_with("./")) name = name.substr(2);
      read[name] = std::move(content);
    }
    return read;
  }();
  return files;
}

/// Calls `each` with namespace, UUID and documents of every collection below a folder of a case.
template <class Each>
void ForEachCollection(const std::string& folder, Each&& each) {
  for (const auto& [path, content] : RecordedCases()) {
    if (!path.starts_with(folder) || !path.ends_with("/collections.json")) continue;
    const std::string base = path.substr(0, path.rfind('/'));
    const std::string database = base.substr(base.rfind('/') + 1);
    const Bson list = FromJson(fmt::format("{{\"list\": {}}}", content), path);
    FieldWalker walker(FindField(list.bytes(), "list")->AsDocument().value());
    while (const auto collection = walker.Next()) {
      const std::string_view document = collection->AsDocument().value();
      const auto uuid = FindPath(document, {"info", "uuid"});
      if (!uuid) continue;  // a view
      const std::string data = base + "/" + UuidHex(*uuid->AsUuid()) + ".bson";
      // system.views is no collection of the site's; one dropped before it was read has no file.
      const auto file = RecordedCases().find(data);
      if (file == RecordedCases().end()) continue;
      const std::string name(FindField(document, "name")->AsText().value());
      if (name != "system.views") each(database + "." + name, *uuid->AsUuid(), file->second);
    }
  }
}

class RecordedOplogTest : public testing::TestWithParam<int> {};

TEST_P(RecordedOplogTest, GivesTheTrueStateByteForByte) {
  const std::string folder = fmt::format("oplog-{}/", GetParam());
  OplogReplay replay;
  ForEachCollection(folder + "copy/",
                    [&](const std::string& ns, const Uuid& uuid, const std::string& data) {
                      replay.AddCollection(uuid, ns);
                      MemoryByteSource source(data);
                      BsonStream documents(source, ns);
                      while (const auto document = documents.Next())
                        replay.AddDocument(uuid, *document);
                    });
  MemoryByteSource source(RecordedCases().at(folder + "oplog.bson"));
  BsonStream entries(source, "oplog.bson");
  while (const auto entry = entries.Next()) replay.Apply(*entry);
  EXPECT_GT(entries.count(), 1000u);

  size_t seen = 0;
  ForEachCollection(folder + "final/",
                    [&](const std::string& ns, const Uuid& uuid, const std::string& data) {
                      ++seen;
                      const auto found = replay.collections().find(uuid);
                      ASSERT_NE(found, replay.collections().end()) << ns;
                      EXPECT_EQ(found->second.ns, ns);
                      std::multiset<std::string> expected;
                      MemoryByteSource final_source(data);
                      BsonStream documents(final_source, ns);
                      while (const auto document = documents.Next()) expected.emplace(*document);
                      std::multiset<std::string> replayed;
                      for (const auto& [id, document] : found->second.documents)
                        replayed.insert(document);
                      EXPECT_EQ(replayed, expected) << ns;
                    });
  for (const auto& [uuid, collection] : replay.collections()) {
    seen += collection.ns.ends_with(".system.views") ? 1 : 0;
  }
  EXPECT_EQ(replay.collections().size(), seen);
}

INSTANTIATE_TEST_SUITE_P(Cases, RecordedOplogTest, testing::Values(1, 2, 3, 4, 5));

std::string Updated(std::string_view document, std::string_view update) {
  return ToJson(
      ApplyOplogUpdate(FromJson(document, "document").bytes(), FromJson(update, "update").bytes()));
}

std::string Canonical(std::string_view json) { return ToJson(FromJson(json, "json").bytes()); }

TEST(OplogUpdate, AppliesModifiersAlongPaths) {
  EXPECT_EQ(Updated(R"({"_id": 1, "a": {"b": 1}, "l": [1]})",
                    R"({"$v": 1, "$unset": {"a.b": true}, "$set": {"l.2": 3, "n.m": 1}})"),
            Canonical(R"({"_id": 1, "a": {}, "l": [1, null, 3], "n": {"m": 1}})"));
}

TEST(OplogUpdate, AppliesDiffsOfObjectsAndArrays) {
  EXPECT_EQ(Updated(R"({"_id": 1, "gone": 1, "kept": {"x": 1, "y": [1, {"z": 1}, 3]}})",
                    R"({"$v": 2, "diff": {"d": {"gone": false}, "i": {"new": 1},
                        "skept": {"u": {"x": 2}, "sy": {"a": true, "l": 2, "s1": {"u": {"z": 2}}}}}})"),
            Canonical(R"({"_id": 1, "kept": {"x": 2, "y": [1, {"z": 2}]}, "new": 1})"));
}

TEST(OplogUpdate, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(Updated(R"({"_id": 1})", R"({"$v": 1, "$inc": {"a": 1}})"), Error);
}

}  // namespace
}  // namespace oxbackup::mongodb
