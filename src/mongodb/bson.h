// BSON: commands are built with Bson, stored documents are read as raw bytes and never decoded and
// encoded again (a document with duplicate keys, invalid UTF-8 or deprecated types stays as it is).
#pragma once

#include <bson/bson.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace oxbackup::mongodb {

/// BSON's type bytes (bsonspec.org).
enum class BsonType : uint8_t {
  kDouble = 0x01,
  kString = 0x02,
  kDocument = 0x03,
  kArray = 0x04,
  kBinary = 0x05,
  kUndefined = 0x06,
  kObjectId = 0x07,
  kBool = 0x08,
  kDate = 0x09,
  kNull = 0x0a,
  kRegex = 0x0b,
  kDbPointer = 0x0c,
  kCode = 0x0d,
  kSymbol = 0x0e,
  kCodeWithScope = 0x0f,
  kInt32 = 0x10,
  kTimestamp = 0x11,
  kInt64 = 0x12,
  kDecimal128 = 0x13,
  kMinKey = 0xff,
  kMaxKey = 0x7f,
};

/// A server's logical time. Ordered.
struct Timestamp {
  uint32_t seconds = 0;
  uint32_t increment = 0;

  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
  /// "1795379997:31".
  std::string Text() const;
  bool is_null() const { return seconds == 0 && increment == 0; }
};

/// A collection's UUID: 16 bytes.
using Uuid = std::array<unsigned char, 16>;
/// 32 lower-case hexadecimal digits, as mongodump writes it.
std::string UuidHex(const Uuid& uuid);

/// One field of a raw document. Its views point into the document.
struct Element {
  BsonType type = BsonType::kNull;
  std::string_view key;
  std::string_view value;  ///< raw bytes after the key
  std::string_view whole;  ///< type byte, key, NUL and value

  /// The text of a string, symbol or code; nothing for other types.
  [[nodiscard]] std::optional<std::string_view> AsText() const;
  /// The bytes of a document or array; nothing for other types.
  [[nodiscard]] std::optional<std::string_view> AsDocument() const;
  /// Any number that fits, truncated towards zero; nothing for other types.
  [[nodiscard]] std::optional<int64_t> AsInt() const;
  [[nodiscard]] std::optional<Timestamp> AsTimestamp() const;
  /// A binary of subtype 4 and 16 bytes.
  [[nodiscard]] std::optional<Uuid> AsUuid() const;
  /// As servers read flags: true, or a number other than 0.
  bool IsTrue() const;
};

/// Walks over the fields of a raw document or array without copying.
///   for (FieldWalker walker(document); auto field = walker.Next();) …
/// Throws Error(kCorrupt) when the bytes are not BSON: a length that leads out of the document, an
/// unknown type, a missing end. The contents of values are not judged.
class FieldWalker {
 public:
  /// `document`: its whole bytes, length included; must outlive the walker and its elements.
  explicit FieldWalker(std::string_view document);
  [[nodiscard]] std::optional<Element> Next();

 private:
  std::string_view rest_;  // what is left, without the final NUL
};

/// The first field of that name; nothing when there is none.
[[nodiscard]] std::optional<Element> FindField(std::string_view document, std::string_view key);
/// The same down a path of nested documents: FindPath(reply, {"cursor", "id"}).
[[nodiscard]] std::optional<Element> FindPath(std::string_view document,
                                              std::initializer_list<std::string_view> path);
/// The text of a field of the document itself; empty when it is not there or no text.
std::string TextOf(std::string_view document, std::string_view key);

/// Length of the document that begins at the front of `bytes`; nothing when fewer than 4 bytes are
/// there or they hold no possible length (5 bytes to 64 MiB).
[[nodiscard]] std::optional<uint32_t> DocumentLength(std::string_view bytes);

/// A document that owns its bytes: commands, replies, options. Built by chaining:
///   Bson().Add("find", "plain").Add("batchSize", int32_t{100})
/// Throws Error(kInternal) when it would grow past libbson's 2 GiB.
class Bson {
 public:
  Bson();
  /// Copies the bytes of a whole document. Throws Error(kCorrupt) when their length does not fit.
  explicit Bson(std::string_view bytes);
  Bson(const Bson& other);
  Bson(Bson&& other) noexcept : document_(std::exchange(other.document_, nullptr)) {}
  Bson& operator=(Bson other) noexcept {
    std::swap(document_, other.document_);
    return *this;
  }
  ~Bson();

  Bson& Add(std::string_view key, std::string_view text);
  Bson& Add(std::string_view key, const char* text) { return Add(key, std::string_view(text)); }
  Bson& Add(std::string_view key, bool value);
  Bson& Add(std::string_view key, int32_t value);
  Bson& Add(std::string_view key, int64_t value);
  Bson& Add(std::string_view key, double value);
  Bson& Add(std::string_view key, Timestamp value);
  Bson& Add(std::string_view key, const Uuid& value);
  Bson& Add(std::string_view key, const Bson& document);
  Bson& AddArray(std::string_view key, const Bson& array);
  /// Adds a field's type and value under another name.
  Bson& AddValue(std::string_view key, BsonType type, std::string_view raw_value);
  Bson& Add(std::string_view key, const Element& element) {
    return AddValue(key, element.type, element.value);
  }
  /// Adds all fields of a raw document.
  Bson& Append(std::string_view document);

  const bson_t* get() const { return document_; }
  bson_t* get() { return document_; }
  std::string_view bytes() const;
  bool empty() const { return bytes().size() <= 5; }

 private:
  // Owned, and made by `new`, not by bson_new: what libmongoc or bson_steal write a document into
  // counts as lying on the stack afterwards, and bson_destroy leaves the bson_t itself alone. Not a
  // unique_ptr: bson_t carries an alignment that template arguments lose, and gcc warns.
  bson_t* document_ = nullptr;
};

/// Canonical extended JSON, as mongodump's metadata.json has it; for values with invalid UTF-8, a
/// text that says so.
std::string ToJson(std::string_view document);

}  // namespace oxbackup::mongodb
