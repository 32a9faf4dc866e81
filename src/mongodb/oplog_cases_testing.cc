#include "mongodb/oplog_cases_testing.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include "mongodb/bson_stream.h"
#include "mongodb/extended_json.h"
#include "mongodb/scripted_server_testing.h"
#include "stream/byte_stream.h"

namespace oxbackup::mongodb {
namespace {

using Files = std::map<std::string, std::string>;

const Files& RecordedFiles() {
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

std::vector<std::string> DocumentsOf(const std::string& data, const std::string& name) {
  std::vector<std::string> documents;
  MemoryByteSource source(data);
  BsonStream stream(source, name);
  while (const auto document = stream.Next()) documents.emplace_back(*document);
  return documents;
}

}  // namespace

std::string RecordedCollection::MetadataJson() const {
  std::vector<std::string> specs;
  for (const Bson& index : indexes) specs.emplace_back(index.bytes());
  Bson metadata = Bson().Add("options", options).AddArray("indexes", ArrayOf(specs));
  if (!uuid.empty()) metadata.Add("uuid", uuid);
  metadata.Add("collectionName", name).Add("type", uuid.empty() ? "view" : "collection");
  return ToJson(metadata.bytes());
}

std::vector<RecordedCollection> ReadRecordedState(int number, std::string_view state) {
  const std::string folder = fmt::format("oplog-{}/{}/", number, state);
  std::vector<RecordedCollection> collections;
  for (const auto& [path, content] : RecordedFiles()) {
    if (!path.starts_with(folder) || !path.ends_with("/collections.json")) continue;
    const std::string base = path.substr(0, path.rfind('/'));
    const Bson list = FromJson(fmt::format("{{\"list\": {}}}", content), path);
    FieldWalker walker(FindField(list.bytes(), "list")->AsDocument().value());
    while (const auto described = walker.Next()) {
      const std::string_view document = described->AsDocument().value();
      RecordedCollection collection;
      collection.database = base.substr(base.rfind('/') + 1);
      collection.name = FindField(document, "name")->AsText().value();
      if (collection.name == "system.views") continue;
      collection.options = Bson(FindField(document, "options")->AsDocument().value());
      if (const auto uuid = FindPath(document, {"info", "uuid"})) {
        collection.uuid = UuidHex(*uuid->AsUuid());
        // One that was dropped before it was read has no file.
        const auto file = RecordedFiles().find(base + "/" + collection.uuid + ".bson");
        if (file == RecordedFiles().end()) continue;
        collection.documents = DocumentsOf(file->second, path);
      }
      if (const auto indexes = FindField(document, "indexes"); indexes && indexes->AsDocument()) {
        FieldWalker specs(*indexes->AsDocument());
        while (const auto spec = specs.Next()) {
          collection.indexes.emplace_back(spec->AsDocument().value());
        }
      }
      collections.push_back(std::move(collection));
    }
  }
  return collections;
}

const std::string& RecordedOplog(int number) {
  return RecordedFiles().at(fmt::format("oplog-{}/oplog.bson", number));
}

}  // namespace oxbackup::mongodb
