#include "mongodb/bson.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/hash.h"

namespace oxbackup::mongodb {
namespace {

// Replies with a full batch exceed the 16 MiB of a stored document.
constexpr uint32_t kMaxReplyBytes = uint32_t{64} << 20;

template <class Number>
Number LittleEndian(std::string_view bytes) {
  uint64_t bits = 0;
  for (size_t i = 0; i < sizeof(Number); ++i) {
    bits |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return static_cast<Number>(bits);
}

Error NotBson(const char* what) {
  return Error(ErrorKind::kCorrupt, "a document is not valid BSON").Cause(what);
}

// Size of a value whose type has a length in front: `extra` bytes beside what the length counts.
size_t PrefixedSize(std::string_view rest, size_t extra) {
  if (rest.size() < 4) throw NotBson("a length is cut off");
  const auto length = LittleEndian<int32_t>(rest);
  if (length < 0) throw NotBson("a length is negative");
  return static_cast<size_t>(length) + extra;
}

size_t CStringSize(std::string_view rest) {
  const size_t end = rest.find('\0');
  if (end == std::string_view::npos) throw NotBson("a text has no end");
  return end + 1;
}

size_t ValueSize(BsonType type, std::string_view rest) {
  switch (type) {
    case BsonType::kUndefined:
    case BsonType::kNull:
    case BsonType::kMinKey:
    case BsonType::kMaxKey:
      return 0;
    case BsonType::kBool:
      return 1;
    case BsonType::kInt32:
      return 4;
    case BsonType::kDouble:
    case BsonType::kDate:
    case BsonType::kTimestamp:
    case BsonType::kInt64:
      return 8;
    case BsonType::kObjectId:
      return 12;
    case BsonType::kDecimal128:
      return 16;
    case BsonType::kString:
    case BsonType::kCode:
    case BsonType::kSymbol:
      return PrefixedSize(rest, 4);
    case BsonType::kBinary:
      return PrefixedSize(rest, 5);
    case BsonType::kDbPointer:
      return PrefixedSize(rest, 4 + 12);
    case BsonType::kDocument:
    case BsonType::kArray:
    case BsonType::kCodeWithScope:
      return PrefixedSize(rest, 0);
    case BsonType::kRegex: {
      const size_t pattern = CStringSize(rest);
      return pattern + CStringSize(rest.substr(pattern));
    }
  }
  throw NotBson("a field has an unknown type");
}

void Check(bool appended) {
  if (!appended) throw Error(ErrorKind::kInternal, "a BSON document grew too large");
}

int Length(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

std::string Timestamp::Text() const { return fmt::format("{}:{}", seconds, increment); }

std::string UuidHex(const Uuid& uuid) {
  return Hex(std::string_view(reinterpret_cast<const char*>(uuid.data()), uuid.size()));
}

std::optional<std::string_view> Element::AsText() const {
  if (type != BsonType::kString && type != BsonType::kSymbol && type != BsonType::kCode) {
    return std::nullopt;
  }
  if (value.size() < 5) return std::nullopt;
  return value.substr(4, value.size() - 5);
}

std::optional<std::string_view> Element::AsDocument() const {
  if (type != BsonType::kDocument && type != BsonType::kArray) return std::nullopt;
  return value;
}

std::optional<int64_t> Element::AsInt() const {
  switch (type) {
    case BsonType::kInt32:
      return LittleEndian<int32_t>(value);
    case BsonType::kInt64:
      return LittleEndian<int64_t>(value);
    case BsonType::kDouble: {
      double number = 0;
      const auto bits = LittleEndian<uint64_t>(value);
      std::memcpy(&number, &bits, sizeof(number));
      if (!(std::abs(number) < 9.2e18)) return std::nullopt;
      return static_cast<int64_t>(number);
    }
    default:
      return std::nullopt;
  }
}

std::optional<Timestamp> Element::AsTimestamp() const {
  if (type != BsonType::kTimestamp) return std::nullopt;
  return Timestamp{LittleEndian<uint32_t>(value.substr(4)), LittleEndian<uint32_t>(value)};
}

std::optional<Uuid> Element::AsUuid() const {
  if (type != BsonType::kBinary || value.size() != 5 + 16 || value[4] != 4) return std::nullopt;
  Uuid uuid{};
  std::memcpy(uuid.data(), value.data() + 5, uuid.size());
  return uuid;
}

bool Element::IsTrue() const {
  if (type == BsonType::kBool) return value[0] != 0;
  return AsInt().value_or(0) != 0;
}

std::optional<uint32_t> DocumentLength(std::string_view bytes) {
  if (bytes.size() < 4) return std::nullopt;
  const auto length = LittleEndian<uint32_t>(bytes);
  if (length < 5 || length > kMaxReplyBytes) return std::nullopt;
  return length;
}

FieldWalker::FieldWalker(std::string_view document) {
  const auto length = DocumentLength(document);
  if (!length || *length != document.size() || document.back() != '\0') {
    throw NotBson("its length does not fit");
  }
  rest_ = document.substr(4, document.size() - 5);
}

std::optional<Element> FieldWalker::Next() {
  if (rest_.empty()) return std::nullopt;
  Element element;
  element.type = static_cast<BsonType>(static_cast<unsigned char>(rest_[0]));
  const size_t key_size = CStringSize(rest_.substr(1));
  element.key = rest_.substr(1, key_size - 1);
  const std::string_view after = rest_.substr(1 + key_size);
  const size_t size = ValueSize(element.type, after);
  if (size > after.size()) throw NotBson("a value leads out of the document");
  element.value = after.substr(0, size);
  element.whole = rest_.substr(0, 1 + key_size + size);
  rest_ = after.substr(size);
  return element;
}

std::optional<Element> FindField(std::string_view document, std::string_view key) {
  FieldWalker walker(document);
  while (auto field = walker.Next()) {
    if (field->key == key) return field;
  }
  return std::nullopt;
}

std::string TextOf(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  return field ? std::string(field->AsText().value_or("")) : std::string();
}

std::optional<Element> FindPath(std::string_view document,
                                std::initializer_list<std::string_view> path) {
  std::optional<Element> element;
  for (const std::string_view key : path) {
    if (element) {
      const auto inner = element->AsDocument();
      if (!inner) return std::nullopt;
      document = *inner;
    }
    element = FindField(document, key);
    if (!element) return std::nullopt;
  }
  return element;
}

Bson::Bson() : document_(new bson_t) { bson_init(document_); }

Bson::Bson(std::string_view bytes) {
  const auto length = DocumentLength(bytes);
  if (!length || *length != bytes.size()) throw NotBson("its length does not fit");
  bson_t view;
  if (!bson_init_static(&view, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size())) {
    throw NotBson("its end is missing");
  }
  document_ = new bson_t;
  bson_copy_to(&view, document_);
}

Bson::Bson(const Bson& other) : document_(new bson_t) { bson_copy_to(other.get(), document_); }

Bson::~Bson() {
  if (document_ == nullptr) return;
  bson_destroy(document_);
  delete document_;
}

Bson& Bson::Add(std::string_view key, std::string_view text) {
  Check(bson_append_utf8(get(), key.data(), Length(key), text.data(), Length(text)));
  return *this;
}

Bson& Bson::Add(std::string_view key, bool value) {
  Check(bson_append_bool(get(), key.data(), Length(key), value));
  return *this;
}

Bson& Bson::Add(std::string_view key, int32_t value) {
  Check(bson_append_int32(get(), key.data(), Length(key), value));
  return *this;
}

Bson& Bson::Add(std::string_view key, int64_t value) {
  Check(bson_append_int64(get(), key.data(), Length(key), value));
  return *this;
}

Bson& Bson::Add(std::string_view key, double value) {
  Check(bson_append_double(get(), key.data(), Length(key), value));
  return *this;
}

Bson& Bson::Add(std::string_view key, Timestamp value) {
  Check(bson_append_timestamp(get(), key.data(), Length(key), value.seconds, value.increment));
  return *this;
}

Bson& Bson::Add(std::string_view key, const Uuid& value) {
  Check(bson_append_binary(get(), key.data(), Length(key), BSON_SUBTYPE_UUID, value.data(),
                           static_cast<uint32_t>(value.size())));
  return *this;
}

Bson& Bson::Add(std::string_view key, const Bson& document) {
  Check(bson_append_document(get(), key.data(), Length(key), document.get()));
  return *this;
}

Bson& Bson::AddArray(std::string_view key, const Bson& array) {
  Check(bson_append_array(get(), key.data(), Length(key), array.get()));
  return *this;
}

Bson& Bson::AddValue(std::string_view key, BsonType type, std::string_view raw_value) {
  // libbson has no call that takes raw values of every type, so the field goes through a document
  // of its own; bson_concat copies the bytes as they are.
  std::string field(4, '\0');
  field += static_cast<char>(type);
  field += key;
  field += '\0';
  field += raw_value;
  field += '\0';
  const auto length = static_cast<uint32_t>(field.size());
  for (size_t i = 0; i < 4; ++i) field[i] = static_cast<char>((length >> (8 * i)) & 0xff);
  return Append(field);
}

Bson& Bson::Append(std::string_view document) {
  const Bson other(document);
  Check(bson_concat(get(), other.get()));
  return *this;
}

std::string_view Bson::bytes() const {
  return {reinterpret_cast<const char*>(bson_get_data(get())), get()->len};
}

std::string ToJson(std::string_view document) {
  const Bson copy(document);
  size_t length = 0;
  const std::unique_ptr<char, decltype(&bson_free)> text(
      bson_as_canonical_extended_json(copy.get(), &length), &bson_free);
  if (!text) return "(not representable as JSON)";
  return std::string(text.get(), length);
}

}  // namespace oxbackup::mongodb
