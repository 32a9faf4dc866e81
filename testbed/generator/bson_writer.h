// Builds BSON documents field by field.
#pragma once

#include <bson/bson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sitegen {

/// One document, or one array when its names are "0", "1", …. Calls can be chained.
class Document {
 public:
  Document() { bson_init(&bson_); }
  ~Document() { bson_destroy(&bson_); }
  Document(const Document& other) { bson_copy_to(&other.bson_, &bson_); }
  Document& operator=(const Document&) = delete;

  Document& Int(std::string_view name, int32_t value);
  Document& Long(std::string_view name, int64_t value);
  Document& Real(std::string_view name, double value);
  Document& Text(std::string_view name, std::string_view value);
  Document& Bool(std::string_view name, bool value);
  Document& Null(std::string_view name);
  Document& Id(std::string_view name, const bson_oid_t& value);
  /// Milliseconds since 1970.
  Document& Date(std::string_view name, int64_t millis);
  Document& Binary(std::string_view name, bson_subtype_t subtype, std::string_view bytes);
  Document& Embed(std::string_view name, const Document& value);
  Document& Array(std::string_view name, const Document& value);

  bson_t* get() { return &bson_; }
  const bson_t* get() const { return &bson_; }
  size_t size() const { return bson_.len; }

 private:
  bson_t bson_;
};

/// An array of anything that `add(list, name, i)` appends.
template <typename Add>
Document ListOf(int64_t count, Add add) {
  Document list;
  for (int64_t i = 0; i < count; i++) add(list, std::to_string(i), i);
  return list;
}

/// An ObjectId that depends on its arguments alone; its time lies `index` seconds after 2020.
bson_oid_t MakeId(uint64_t seed, std::string_view name, uint64_t index);

}  // namespace sitegen
