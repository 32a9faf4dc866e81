#include "mongodb/model_values_testing.h"

#include <cstring>
#include <optional>
#include <stdexcept>

namespace oxbackup::mongodb {
namespace {

double AsDouble(const Element& value) {
  if (value.type != BsonType::kDouble) return static_cast<double>(value.AsInt().value_or(0));
  double number = 0;
  std::memcpy(&number, value.value.data(), sizeof number);
  return number;
}

int Sign(auto left, auto right) { return left < right ? -1 : (right < left ? 1 : 0); }

int CompareBytes(std::string_view left, std::string_view right) {
  return Sign(left.compare(right), 0);
}

int CompareDocuments(std::string_view left, std::string_view right) {
  FieldWalker a(left);
  FieldWalker b(right);
  for (;;) {
    const auto x = a.Next();
    const auto y = b.Next();
    if (!x || !y) return Sign(x.has_value(), y.has_value());
    if (const int types = Sign(TypeBracket(x->type), TypeBracket(y->type))) return types;
    if (const int keys = CompareBytes(x->key, y->key)) return keys;
    if (const int values = CompareValues(*x, *y)) return values;
  }
}

std::optional<Element> FindDotted(std::string_view document, std::string_view path) {
  const size_t dot = path.find('.');
  const auto field = FindField(document, path.substr(0, dot));
  if (dot == path.npos || !field) return field;
  const auto inner = field->AsDocument();
  return inner ? FindDotted(*inner, path.substr(dot + 1)) : std::nullopt;
}

bool MatchesOperator(const std::optional<Element>& value, const Element& condition) {
  if (condition.key == "$type" && condition.AsText() == "objectId") {
    return value && value->type == BsonType::kObjectId;
  }
  if (condition.key == "$not") {
    FieldWalker negated(condition.AsDocument().value());
    while (const auto field = negated.Next()) {
      if (!MatchesOperator(value, *field)) return true;
    }
    return false;
  }
  if (condition.key == "$exists") return value.has_value() == condition.IsTrue();
  if (condition.key == "$ne") return !value || CompareValues(*value, condition) != 0;
  if (condition.key == "$in") {
    FieldWalker choices(condition.AsDocument().value());
    while (const auto choice = choices.Next()) {
      if (value && CompareValues(*value, *choice) == 0) return true;
    }
    return false;
  }
  if (!value || TypeBracket(value->type) != TypeBracket(condition.type)) return false;
  const int order = CompareValues(*value, condition);
  if (condition.key == "$eq") return order == 0;
  if (condition.key == "$gt") return order > 0;
  if (condition.key == "$gte") return order >= 0;
  if (condition.key == "$lt") return order < 0;
  if (condition.key == "$lte") return order <= 0;
  throw std::invalid_argument("the model does not know " + std::string(condition.key));
}

bool MatchesField(const std::optional<Element>& value, const Element& condition) {
  const auto nested = condition.AsDocument();
  if (condition.type == BsonType::kDocument) {
    FieldWalker walker(*nested);
    auto field = walker.Next();
    if (field && field->key.starts_with("$")) {
      for (; field; field = walker.Next()) {
        if (!MatchesOperator(value, *field)) return false;
      }
      return true;
    }
  }
  return value && CompareValues(*value, condition) == 0;
}

bool MatchesAll(std::string_view document, std::string_view conditions, bool all) {
  FieldWalker walker(conditions);
  while (const auto condition = walker.Next()) {
    if (MatchesFilter(document, condition->AsDocument().value()) != all) return !all;
  }
  return all;
}

}  // namespace

int TypeBracket(BsonType type) {
  switch (type) {
    case BsonType::kMinKey:
      return 1;
    case BsonType::kUndefined:
      return 2;
    case BsonType::kNull:
      return 5;
    case BsonType::kInt32:
    case BsonType::kInt64:
    case BsonType::kDouble:
    case BsonType::kDecimal128:
      return 10;
    case BsonType::kString:
    case BsonType::kSymbol:
      return 15;
    case BsonType::kDocument:
      return 20;
    case BsonType::kArray:
      return 25;
    case BsonType::kBinary:
      return 30;
    case BsonType::kObjectId:
      return 35;
    case BsonType::kBool:
      return 40;
    case BsonType::kDate:
      return 45;
    case BsonType::kTimestamp:
      return 47;
    case BsonType::kRegex:
      return 50;
    case BsonType::kDbPointer:
      return 55;
    case BsonType::kCode:
      return 60;
    case BsonType::kCodeWithScope:
      return 65;
    case BsonType::kMaxKey:
      return 127;
  }
  throw std::invalid_argument("no type of BSON");
}

int CompareValues(const Element& left, const Element& right) {
  const int bracket = TypeBracket(left.type);
  if (const int types = Sign(bracket, TypeBracket(right.type))) return types;
  if (left.type == right.type && left.value == right.value) return 0;
  switch (bracket) {
    case 10:
      return Sign(AsDouble(left), AsDouble(right));
    case 20:
    case 25:
      return CompareDocuments(left.AsDocument().value(), right.AsDocument().value());
    case 45: {
      int64_t a = 0;
      int64_t b = 0;
      std::memcpy(&a, left.value.data(), sizeof a);
      std::memcpy(&b, right.value.data(), sizeof b);
      return Sign(a, b);
    }
    case 47:
      return Sign(left.AsTimestamp().value(), right.AsTimestamp().value());
    case 15:
      return CompareBytes(left.AsText().value(), right.AsText().value());
    default:
      return CompareBytes(left.value, right.value);
  }
}

std::string EqualityKey(const Element& value) {
  std::string key = std::to_string(TypeBracket(value.type)) + ":";
  if (TypeBracket(value.type) == 10 && value.type != BsonType::kDecimal128) {
    return key + std::to_string(AsDouble(value));
  }
  return key.append(value.value);
}

bool MatchesFilter(std::string_view document, std::string_view filter) {
  FieldWalker walker(filter);
  while (const auto condition = walker.Next()) {
    if (condition->key == "$and" || condition->key == "$or") {
      const bool all = condition->key == "$and";
      if (!MatchesAll(document, condition->AsDocument().value(), all)) return false;
      continue;
    }
    if (condition->key.starts_with("$")) {
      throw std::invalid_argument("the model does not know " + std::string(condition->key));
    }
    if (!MatchesField(FindDotted(document, condition->key), *condition)) return false;
  }
  return true;
}

}  // namespace oxbackup::mongodb
