#include "bson_writer.h"

#include <cstring>
#include <stdexcept>

#include "random.h"

namespace sitegen {
namespace {

void Check(bool appended) {
  if (!appended) throw std::runtime_error("a document grew past BSON's 2 GB");
}

int Length(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

Document& Document::Int(std::string_view name, int32_t value) {
  Check(bson_append_int32(&bson_, name.data(), Length(name), value));
  return *this;
}

Document& Document::Long(std::string_view name, int64_t value) {
  Check(bson_append_int64(&bson_, name.data(), Length(name), value));
  return *this;
}

Document& Document::Real(std::string_view name, double value) {
  Check(bson_append_double(&bson_, name.data(), Length(name), value));
  return *this;
}

Document& Document::Text(std::string_view name, std::string_view value) {
  Check(bson_append_utf8(&bson_, name.data(), Length(name), value.data(), Length(value)));
  return *this;
}

Document& Document::Bool(std::string_view name, bool value) {
  Check(bson_append_bool(&bson_, name.data(), Length(name), value));
  return *this;
}

Document& Document::Null(std::string_view name) {
  Check(bson_append_null(&bson_, name.data(), Length(name)));
  return *this;
}

Document& Document::Id(std::string_view name, const bson_oid_t& value) {
  Check(bson_append_oid(&bson_, name.data(), Length(name), &value));
  return *this;
}

Document& Document::Date(std::string_view name, int64_t millis) {
  Check(bson_append_date_time(&bson_, name.data(), Length(name), millis));
  return *this;
}

Document& Document::Binary(std::string_view name, bson_subtype_t subtype, std::string_view bytes) {
  Check(bson_append_binary(&bson_, name.data(), Length(name), subtype,
                           reinterpret_cast<const uint8_t*>(bytes.data()),
                           static_cast<uint32_t>(bytes.size())));
  return *this;
}

Document& Document::Embed(std::string_view name, const Document& value) {
  Check(bson_append_document(&bson_, name.data(), Length(name), value.get()));
  return *this;
}

Document& Document::Array(std::string_view name, const Document& value) {
  Check(bson_append_array(&bson_, name.data(), Length(name), value.get()));
  return *this;
}

bson_oid_t MakeId(uint64_t seed, std::string_view name, uint64_t index) {
  Random random(seed, name, index);
  std::string bytes = random.Bytes(12);
  uint32_t seconds = 1577836800U + static_cast<uint32_t>(index);
  for (size_t i = 0; i < 4; i++) bytes[i] = static_cast<char>(seconds >> (24 - 8 * i));
  bson_oid_t id;
  std::memcpy(id.bytes, bytes.data(), sizeof id.bytes);
  return id;
}

}  // namespace sitegen
