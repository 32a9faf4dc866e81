#include "mongodb/oplog_update.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "mongodb/bson.h"

namespace oxbackup::mongodb {
namespace {

constexpr BsonType kNull = BsonType::kNull;

/// A value on its own.
struct RawValue {
  BsonType type;
  std::string bytes;
};

std::optional<size_t> AsIndex(std::string_view name) {
  size_t index = 0;
  const char* const end = name.data() + name.size();
  if (name.empty() || std::from_chars(name.data(), end, index).ptr != end) return std::nullopt;
  return index;
}

std::vector<RawValue> ElementsOf(std::string_view array) {
  std::vector<RawValue> values;
  FieldWalker walker(array);
  while (const auto element = walker.Next()) {
    values.push_back({element->type, std::string(element->value)});
  }
  return values;
}

std::string ArrayOf(const std::vector<RawValue>& values) {
  Bson array;
  for (size_t at = 0; at < values.size(); ++at) {
    array.AddValue(std::to_string(at), values[at].type, values[at].bytes);
  }
  return std::string(array.bytes());
}

std::string SetPath(BsonType type, std::string_view container, std::string_view path,
                    const std::optional<Element>& value);

// What becomes of the field that the rest of a path leads into; nothing: it goes.
std::optional<RawValue> Changed(const std::optional<RawValue>& old, std::string_view rest,
                                const std::optional<Element>& value) {
  if (rest.empty()) {
    if (!value) return std::nullopt;
    return RawValue{value->type, std::string(value->value)};
  }
  if (!old) {
    if (!value) return std::nullopt;
    return RawValue{BsonType::kDocument, SetPath(BsonType::kDocument, Bson().bytes(), rest, value)};
  }
  if (old->type != BsonType::kDocument && old->type != BsonType::kArray) return old;
  return RawValue{old->type, SetPath(old->type, old->bytes, rest, value)};
}

// Sets (or with no value removes) what a dotted path leads to.
std::string SetPath(BsonType type, std::string_view container, std::string_view path,
                    const std::optional<Element>& value) {
  const size_t dot = path.find('.');
  const std::string_view name = path.substr(0, dot);
  const std::string_view rest = dot == path.npos ? std::string_view() : path.substr(dot + 1);
  if (type == BsonType::kArray) {
    const auto index = AsIndex(name);
    std::vector<RawValue> values = ElementsOf(container);
    if (!index || (!value && *index >= values.size())) return std::string(container);
    const std::optional<RawValue> old =
        *index < values.size() ? std::optional<RawValue>(values[*index]) : std::nullopt;
    if (values.size() <= *index) values.resize(*index + 1, RawValue{kNull, {}});
    // An element that is removed leaves null behind: the others keep their places.
    values[*index] = Changed(old, rest, value).value_or(RawValue{kNull, {}});
    return ArrayOf(values);
  }
  Bson changed;
  bool found = false;
  FieldWalker walker(container);
  while (const auto field = walker.Next()) {
    if (field->key != name || found) {
      changed.Add(field->key, *field);
      continue;
    }
    found = true;
    const auto now = Changed(RawValue{field->type, std::string(field->value)}, rest, value);
    if (now) changed.AddValue(name, now->type, now->bytes);
  }
  if (!found) {
    const auto now = Changed(std::nullopt, rest, value);
    if (now) changed.AddValue(name, now->type, now->bytes);
  }
  return std::string(changed.bytes());
}

std::string ApplyModifiers(std::string_view document, std::string_view update) {
  std::string changed(document);
  FieldWalker walker(update);
  while (const auto modifier = walker.Next()) {
    if (modifier->key == "$v") continue;
    if (modifier->key != "$set" && modifier->key != "$unset") {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the oplog holds an update with the unknown '{}'", modifier->key));
    }
    FieldWalker fields(modifier->AsDocument().value());
    while (const auto field = fields.Next()) {
      const bool set = modifier->key == "$set";
      changed = SetPath(BsonType::kDocument, changed, field->key,
                        set ? std::optional<Element>(*field) : std::nullopt);
    }
  }
  return changed;
}

std::string ApplyDiff(BsonType type, std::string_view container, std::string_view diff);

std::string DiffedObject(std::string_view object, std::string_view diff) {
  std::set<std::string_view> removed;
  std::map<std::string_view, Element> updated;
  std::map<std::string_view, std::string_view> nested;
  std::vector<Element> appended;
  FieldWalker sections(diff);
  while (const auto section = sections.Next()) {
    if (section->key.starts_with('s')) {
      nested.emplace(section->key.substr(1), section->AsDocument().value());
      continue;
    }
    FieldWalker fields(section->AsDocument().value());
    while (const auto field = fields.Next()) {
      if (section->key == "d") {
        removed.insert(field->key);
      } else if (section->key == "u") {
        updated.emplace(field->key, *field);
        if (!FindField(object, field->key)) appended.push_back(*field);
      } else if (section->key == "i") {
        // An inserted field goes to the end, also when it is there already.
        removed.insert(field->key);
        appended.push_back(*field);
      } else {
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("the oplog holds a diff with the unknown '{}'", section->key));
      }
    }
  }
  Bson changed;
  FieldWalker walker(object);
  while (const auto field = walker.Next()) {
    if (removed.contains(field->key)) continue;
    const auto update = updated.find(field->key);
    const auto inner = nested.find(field->key);
    if (update != updated.end()) {
      changed.Add(field->key, update->second);
    } else if (inner != nested.end() && field->AsDocument()) {
      changed.AddValue(field->key, field->type,
                       ApplyDiff(field->type, *field->AsDocument(), inner->second));
    } else {
      changed.Add(field->key, *field);
    }
  }
  for (const Element& field : appended) changed.Add(field.key, field);
  return std::string(changed.bytes());
}

std::string DiffedArray(std::string_view array, std::string_view diff) {
  std::vector<RawValue> values = ElementsOf(array);
  FieldWalker walker(diff);
  while (const auto change = walker.Next()) {
    if (change->key == "a") continue;
    if (change->key == "l") {
      const auto size = static_cast<size_t>(change->AsInt().value_or(0));
      if (size < values.size()) values.resize(size, RawValue{kNull, {}});
      continue;
    }
    const auto index = AsIndex(change->key.substr(1));
    if (!index) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the oplog holds an array diff with the unknown '{}'", change->key));
    }
    if (change->key[0] == 'u') {
      if (values.size() <= *index) values.resize(*index + 1, RawValue{kNull, {}});
      values[*index] = {change->type, std::string(change->value)};
    } else if (*index < values.size() && (values[*index].type == BsonType::kDocument ||
                                          values[*index].type == BsonType::kArray)) {
      RawValue& value = values[*index];
      value.bytes = ApplyDiff(value.type, value.bytes, change->AsDocument().value());
    }
  }
  return ArrayOf(values);
}

std::string ApplyDiff(BsonType type, std::string_view container, std::string_view diff) {
  const auto array_diff = FindField(diff, "a");
  const bool for_array = array_diff && array_diff->type == BsonType::kBool;
  if (for_array != (type == BsonType::kArray)) return std::string(container);
  return for_array ? DiffedArray(container, diff) : DiffedObject(container, diff);
}

}  // namespace

std::string ApplyOplogUpdate(std::string_view document, std::string_view update) {
  const auto version = FindField(update, "$v");
  const auto diff = FindField(update, "diff");
  if (version && version->AsInt() == 2 && diff) {
    return ApplyDiff(BsonType::kDocument, document, diff->AsDocument().value());
  }
  const auto first = FieldWalker(update).Next();
  if (first && first->key.starts_with('$')) return ApplyModifiers(document, update);
  return std::string(update);
}

}  // namespace oxbackup::mongodb
