#include "mongodb/oplog_metadata.h"

#include <set>
#include <string>
#include <utility>

namespace oxbackup::mongodb {
namespace {

std::string NameOf(std::string_view index) {
  const auto name = FindField(index, "name");
  return name ? std::string(name->AsText().value_or("")) : std::string();
}

Bson WithField(const Bson& document, std::string_view key, const Element& value) {
  Bson changed;
  bool found = false;
  FieldWalker walker(document.bytes());
  while (const auto field = walker.Next()) {
    const bool is_it = field->key == key;
    found |= is_it;
    changed.Add(field->key, is_it ? value : *field);
  }
  if (!found) changed.Add(key, value);
  return changed;
}

bool SameKeys(std::string_view index, const Element& pattern) {
  const auto key = FindField(index, "key");
  return key && key->value == pattern.value;
}

bool ChangeIndex(CollectionMetadata& metadata, std::string_view change) {
  static const std::set<std::string_view> known = {"expireAfterSeconds", "hidden", "unique",
                                                   "prepareUnique"};
  const auto pattern = FindField(change, "keyPattern");
  for (Bson& index : metadata.indexes) {
    const bool is_it =
        pattern ? SameKeys(index.bytes(), *pattern) : NameOf(index.bytes()) == NameOf(change);
    if (!is_it) continue;
    FieldWalker walker(change);
    while (const auto field = walker.Next()) {
      if (field->key == "name" || field->key == "keyPattern") continue;
      if (!known.contains(field->key)) return false;
      index = WithField(index, field->key, *field);
    }
  }
  // An index that is not there any more was dropped by a later entry.
  return true;
}

void AddIndex(CollectionMetadata& metadata, Bson spec) {
  std::erase_if(metadata.indexes, [name = NameOf(spec.bytes())](const Bson& index) {
    return NameOf(index.bytes()) == name;
  });
  metadata.indexes.push_back(std::move(spec));
}

}  // namespace

CollectionMetadata MetadataOfCreate(std::string_view command) {
  CollectionMetadata metadata;
  FieldWalker walker(command);
  const auto first = walker.Next();
  if (first) metadata.collection = first->AsText().value_or("");
  while (const auto option = walker.Next()) metadata.options.Add(option->key, *option);
  metadata.type = metadata.view() ? "view" : "collection";
  return metadata;
}

std::optional<Bson> ApplyCollMod(CollectionMetadata& metadata, std::string_view command) {
  static const std::set<std::string_view> same_name = {
      "validator",       "validationLevel",    "validationAction",
      "recordPreImages", "expireAfterSeconds", "changeStreamPreAndPostImages"};
  Bson of_options;
  FieldWalker walker(command);
  static_cast<void>(walker.Next());
  while (const auto field = walker.Next()) {
    if (field->key == "index" && field->AsDocument()) {
      if (!ChangeIndex(metadata, *field->AsDocument())) return std::nullopt;
      continue;
    }
    std::string option(field->key);
    if (option == "cappedSize") option = "size";
    if (option == "cappedMax") option = "max";
    if (option == field->key && !same_name.contains(option)) return std::nullopt;
    metadata.options = WithField(metadata.options, option, *field);
    of_options.Add(field->key, *field);
  }
  return of_options;
}

void AddOplogIndexes(CollectionMetadata& metadata, std::string_view command) {
  if (const auto several = FindField(command, "indexes"); several && several->AsDocument()) {
    FieldWalker walker(*several->AsDocument());
    while (const auto index = walker.Next()) {
      if (index->AsDocument()) AddIndex(metadata, Bson(*index->AsDocument()));
    }
    return;
  }
  Bson spec;
  FieldWalker walker(command);
  static_cast<void>(walker.Next());
  while (const auto field = walker.Next()) spec.Add(field->key, *field);
  AddIndex(metadata, std::move(spec));
}

bool RemoveOplogIndexes(CollectionMetadata& metadata, std::string_view command) {
  std::set<std::string> names;
  if (const auto several = FindField(command, "indexes"); several && several->AsDocument()) {
    FieldWalker walker(*several->AsDocument());
    while (const auto index = walker.Next()) {
      if (index->AsDocument()) names.insert(NameOf(*index->AsDocument()));
    }
  } else if (const auto index = FindField(command, "index"); index && index->AsText()) {
    names.emplace(*index->AsText());
  } else {
    return false;
  }
  std::erase_if(metadata.indexes, [&](const Bson& index) {
    const std::string name = NameOf(index.bytes());
    return names.contains(name) || (names.contains("*") && name != "_id_");
  });
  return true;
}

}  // namespace oxbackup::mongodb
