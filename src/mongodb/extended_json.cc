#include "mongodb/extended_json.h"

#include <fmt/format.h>

#include <memory>

#include "base/error.h"

namespace oxbackup::mongodb {

Bson FromJson(std::string_view json, const std::string& what) {
  bson_error_t error;
  bson_t* const document = bson_new_from_json(reinterpret_cast<const uint8_t*>(json.data()),
                                              static_cast<ssize_t>(json.size()), &error);
  if (document == nullptr) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is no MongoDB extended JSON", what))
        .Cause(error.message);
  }
  Bson copy(
      std::string_view(reinterpret_cast<const char*>(bson_get_data(document)), document->len));
  bson_destroy(document);
  return copy;
}

std::string ValueText(const Element& element, size_t limit) {
  const Bson document = Bson().Add("", element);
  const std::unique_ptr<char, decltype(&bson_free)> json(
      bson_as_relaxed_extended_json(document.get(), nullptr), &bson_free);
  if (!json) return "(a value that is no valid text)";
  // Of `{ "" : value }` only the value.
  std::string text(json.get());
  const size_t begin = text.find(':') + 2;
  text = text.substr(begin, text.rfind('}') - begin - 1);
  if (text.size() > limit) text = text.substr(0, limit) + "…";
  return text;
}

}  // namespace oxbackup::mongodb
