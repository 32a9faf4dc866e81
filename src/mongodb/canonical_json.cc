#include "mongodb/canonical_json.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/hash.h"

namespace oxbackup::mongodb {
namespace {

using Json = nlohmann::ordered_json;

// Servers take 100 to 200 levels.
constexpr int kMaxDepth = 250;

struct Value {
  BsonType type = BsonType::kNull;
  std::string raw;
};

template <class Number>
std::string LittleEndian(Number number) {
  std::string bytes(sizeof number, '\0');
  for (size_t at = 0; at < sizeof number; ++at) {
    bytes[at] = static_cast<char>((static_cast<uint64_t>(number) >> (8 * at)) & 0xff);
  }
  return bytes;
}

std::string RawDouble(double number) {
  uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  return LittleEndian(bits);
}

std::string RawText(const std::string& text) {
  return LittleEndian(static_cast<uint32_t>(text.size() + 1)) + text + '\0';
}

// The members of those names, in that order, when there are no others; else nothing.
std::vector<const Json*> Exactly(const Json& object, std::initializer_list<const char*> names) {
  std::vector<const Json*> members;
  if (!object.is_object() || object.size() != names.size()) return members;
  for (const char* const name : names) {
    const auto member = object.find(name);
    if (member == object.end()) return {};
    members.push_back(&*member);
  }
  return members;
}

template <class Number>
std::optional<Number> WholeNumber(const std::string& text, int base = 10) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return number;
}

std::optional<Value> Int32Of(const std::string& text) {
  const auto number = WholeNumber<int32_t>(text);
  if (!number) return std::nullopt;
  return Value{BsonType::kInt32, LittleEndian(*number)};
}

std::optional<Value> Int64Of(const std::string& text) {
  const auto number = WholeNumber<int64_t>(text);
  if (!number) return std::nullopt;
  return Value{BsonType::kInt64, LittleEndian(*number)};
}

std::optional<Value> DoubleOf(const std::string& text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "Infinity") return Value{BsonType::kDouble, RawDouble(kInfinity)};
  if (text == "-Infinity") return Value{BsonType::kDouble, RawDouble(-kInfinity)};
  if (text == "NaN") return Value{BsonType::kDouble, RawDouble(std::nan(""))};
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || !std::isfinite(number)) return std::nullopt;
  return Value{BsonType::kDouble, RawDouble(number)};
}

std::optional<Value> DecimalOf(const std::string& text) {
  bson_decimal128_t decimal;
  if (!bson_decimal128_from_string(text.c_str(), &decimal)) return std::nullopt;
  return Value{BsonType::kDecimal128, LittleEndian(decimal.low) + LittleEndian(decimal.high)};
}

std::optional<Value> ObjectIdOf(const std::string& text) {
  if (!bson_oid_is_valid(text.data(), text.size()) || text.size() != 24) return std::nullopt;
  bson_oid_t oid;
  bson_oid_init_from_string(&oid, text.c_str());
  return Value{BsonType::kObjectId,
               std::string(reinterpret_cast<const char*>(oid.bytes), sizeof oid.bytes)};
}

std::optional<Value> CodeOf(const std::string& text) {
  return Value{BsonType::kCode, RawText(text)};
}

std::optional<Value> SymbolOf(const std::string& text) {
  return Value{BsonType::kSymbol, RawText(text)};
}

// "2020-01-31T12:00:00.123Z", or with "+0100" at the end.
std::optional<Value> DateOf(const std::string& text) {
  const auto number = [&](size_t at, size_t digits) {
    return at + digits <= text.size() ? WholeNumber<uint32_t>(text.substr(at, digits))
                                      : std::nullopt;
  };
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size()) return std::nullopt;
  for (size_t at = 0; at < kForm.size(); ++at) {
    const bool digit = text[at] >= '0' && text[at] <= '9';
    if (kForm[at] == '0' ? !digit : text[at] != kForm[at]) return std::nullopt;
  }
  size_t at = kForm.size();
  int64_t milliseconds = 0;
  if (text[at] == '.') {
    const auto fraction = number(at + 1, 3);
    if (!fraction) return std::nullopt;
    milliseconds = *fraction;
    at += 4;
  }
  int64_t offset_minutes = 0;
  const std::string zone = text.substr(at);
  if (zone.size() == 5 && (zone[0] == '+' || zone[0] == '-')) {
    const auto hours = number(at + 1, 2);
    const auto minutes = number(at + 3, 2);
    if (!hours || !minutes) return std::nullopt;
    offset_minutes = (zone[0] == '-' ? -1 : 1) * static_cast<int64_t>(*hours * 60 + *minutes);
  } else if (zone != "Z") {
    return std::nullopt;
  }
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(*number(0, 4))),
                                        std::chrono::month(*number(5, 2)),
                                        std::chrono::day(*number(8, 2)));
  if (!day.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  const int64_t minutes = (days * 24 + *number(11, 2)) * 60 + *number(14, 2) - offset_minutes;
  return Value{BsonType::kDate,
               LittleEndian((minutes * 60 + *number(17, 2)) * 1000 + milliseconds)};
}

std::optional<Value> BinaryOf(const Json& base64, const Json& subtype) {
  if (!base64.is_string() || !subtype.is_string()) return std::nullopt;
  auto bytes = Base64Decode(base64.get<std::string>());
  const auto kind = WholeNumber<uint8_t>(subtype.get<std::string>(), 16);
  if (!bytes || !kind) return std::nullopt;
  // The old kind has its length a second time inside.
  constexpr uint8_t kOldBinary = 2;
  if (*kind == kOldBinary) *bytes = LittleEndian(static_cast<uint32_t>(bytes->size())) + *bytes;
  return Value{BsonType::kBinary, LittleEndian(static_cast<uint32_t>(bytes->size())) +
                                      static_cast<char>(*kind) + *bytes};
}

std::optional<Value> TimestampOf(const Json& object) {
  const auto parts = Exactly(object, {"t", "i"});
  if (parts.empty()) return std::nullopt;
  std::string raw;
  for (const Json* const part : {parts[1], parts[0]}) {
    if (!part->is_number_unsigned() || part->get<uint64_t>() > UINT32_MAX) return std::nullopt;
    raw += LittleEndian(part->get<uint32_t>());
  }
  return Value{BsonType::kTimestamp, std::move(raw)};
}

std::optional<Value> RegexOf(const Json& object) {
  const auto parts = Exactly(object, {"pattern", "options"});
  if (parts.empty()) return std::nullopt;
  std::string raw;
  for (const Json* const part : parts) {
    if (!part->is_string()) return std::nullopt;
    const auto text = part->get<std::string>();
    if (text.find('\0') != std::string::npos) return std::nullopt;
    raw += text + '\0';
  }
  return Value{BsonType::kRegex, std::move(raw)};
}

std::optional<Value> DbPointerOf(const Json& object) {
  const auto parts = Exactly(object, {"$ref", "$id"});
  if (parts.empty() || !parts[0]->is_string()) return std::nullopt;
  const auto id = Exactly(*parts[1], {"$oid"});
  if (id.empty() || !id[0]->is_string()) return std::nullopt;
  const auto oid = ObjectIdOf(id[0]->get<std::string>());
  if (!oid) return std::nullopt;
  return Value{BsonType::kDbPointer, RawText(parts[0]->get<std::string>()) + oid->raw};
}

// An object of one member that stands for a value.
std::optional<Value> OfOneMember(const std::string& name, const Json& member) {
  using OfText = std::optional<Value> (*)(const std::string&);
  static const std::map<std::string_view, OfText> of_text = {
      {"$oid", ObjectIdOf},        {"$symbol", SymbolOf},        {"$code", CodeOf},
      {"$numberInt", Int32Of},     {"$numberLong", Int64Of},     {"$date", DateOf},
      {"$numberDouble", DoubleOf}, {"$numberDecimal", DecimalOf}};
  if (member.is_string()) {
    const auto known = of_text.find(name);
    return known == of_text.end() ? std::nullopt : known->second(member.get<std::string>());
  }
  if (member.is_object()) {
    if (name == "$timestamp") return TimestampOf(member);
    if (name == "$regularExpression") return RegexOf(member);
    if (name == "$dbPointer") return DbPointerOf(member);
    if (name == "$binary") {
      const auto parts = Exactly(member, {"base64", "subType"});
      return parts.empty() ? std::nullopt : BinaryOf(*parts[0], *parts[1]);
    }
    const auto number = Exactly(member, {"$numberLong"});
    if (name == "$date" && !number.empty() && number[0]->is_string()) {
      const auto date = Int64Of(number[0]->get<std::string>());
      if (date) return Value{BsonType::kDate, date->raw};
    }
    return std::nullopt;
  }
  if (name == "$undefined" && member == Json(true)) return Value{BsonType::kUndefined, {}};
  if (name == "$minKey" && member == Json(1)) return Value{BsonType::kMinKey, {}};
  if (name == "$maxKey" && member == Json(1)) return Value{BsonType::kMaxKey, {}};
  return std::nullopt;
}

Error NoBson(const char* why) {
  return Error(ErrorKind::kCorrupt, "a JSON text is no MongoDB document").Cause(why);
}

Bson DocumentOf(const Json& object, int depth);

std::optional<Value> Wrapped(const Json& object, int depth) {
  if (object.size() == 1) {
    return OfOneMember(object.begin().key(), object.begin().value());
  }
  const auto code = Exactly(object, {"$code", "$scope"});
  if (!code.empty() && code[0]->is_string() && code[1]->is_object()) {
    const std::string inner =
        RawText(code[0]->get<std::string>()) + std::string(DocumentOf(*code[1], depth + 1).bytes());
    return Value{BsonType::kCodeWithScope,
                 LittleEndian(static_cast<uint32_t>(inner.size() + 4)) + inner};
  }
  const auto binary = Exactly(object, {"$binary", "$type"});
  if (!binary.empty()) return BinaryOf(*binary[0], *binary[1]);
  return std::nullopt;
}

Value ValueOf(const Json& json, int depth) {
  switch (json.type()) {
    case Json::value_t::null:
      return {BsonType::kNull, {}};
    case Json::value_t::boolean:
      return {BsonType::kBool, std::string(1, json.get<bool>() ? '\1' : '\0')};
    case Json::value_t::string:
      return {BsonType::kString, RawText(json.get<std::string>())};
    case Json::value_t::number_float:
      return {BsonType::kDouble, RawDouble(json.get<double>())};
    case Json::value_t::number_unsigned:
      if (json.get<uint64_t>() > INT64_MAX) throw NoBson("a number is too large");
      [[fallthrough]];
    case Json::value_t::number_integer: {
      const auto number = json.get<int64_t>();
      const bool small = number >= INT32_MIN && number <= INT32_MAX;
      if (small) return {BsonType::kInt32, LittleEndian(static_cast<int32_t>(number))};
      return {BsonType::kInt64, LittleEndian(number)};
    }
    case Json::value_t::array:
      return {BsonType::kArray, std::string(DocumentOf(json, depth + 1).bytes())};
    case Json::value_t::object:
      if (auto wrapped = Wrapped(json, depth)) return *std::move(wrapped);
      return {BsonType::kDocument, std::string(DocumentOf(json, depth + 1).bytes())};
    default:
      throw NoBson("a value of no known kind");
  }
}

Bson DocumentOf(const Json& object, int depth) {
  if (depth > kMaxDepth) throw NoBson("it is nested too deeply");
  Bson document;
  for (const auto& [key, member] : object.items()) {
    if (key.find('\0') != std::string::npos) throw NoBson("a name holds a zero byte");
    const Value value = ValueOf(member, depth);
    document.AddValue(key, value.type, value.raw);
  }
  return document;
}

}  // namespace

Bson FromCanonicalJson(std::string_view json, const std::string& what) {
  const auto corrupt = [&](const std::string& cause) {
    return Error(ErrorKind::kCorrupt, fmt::format("{} is no MongoDB extended JSON", what))
        .Cause(cause);
  };
  Json parsed;
  try {
    parsed = Json::parse(json);
  } catch (const Json::exception& error) {
    throw corrupt(error.what());
  }
  if (!parsed.is_object()) throw corrupt("it is no object");
  try {
    return DocumentOf(parsed, 0);
  } catch (const Error& error) {
    throw corrupt(error.cause());
  }
}

}  // namespace oxbackup::mongodb
