#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "fill.h"
#include "fill_mongodb.h"

namespace sitegen {
namespace {

using std::string_literals::operator""s;

constexpr const char* kAll = "bson_types";

// FerretDB 1 refuses these types; the others keep every one of them.
void AddTypesOfFullServers(Document& document) {
  bson_t* bson = document.get();
  bson_decimal128_t decimal;
  bson_decimal128_from_string("-1234567890.1234567890E-6", &decimal);
  BSON_APPEND_DECIMAL128(bson, "decimal", &decimal);
  bson_decimal128_from_string("NaN", &decimal);
  BSON_APPEND_DECIMAL128(bson, "decimal nan", &decimal);
  BSON_APPEND_MINKEY(bson, "minkey");
  BSON_APPEND_MAXKEY(bson, "maxkey");
  BSON_APPEND_CODE(bson, "code", "function() { return '😀'; }");
  BSON_APPEND_SYMBOL(bson, "symbol", "old");
  BSON_APPEND_UNDEFINED(bson, "undefined");
  Document scope;
  scope.Int("x", 1);
  BSON_APPEND_CODE_WITH_SCOPE(bson, "scoped", "x", scope.get());
  bson_oid_t id = MakeId(1, "pointer", 1);
  BSON_APPEND_DBPOINTER(bson, "pointer", "db.collection", &id);
  document.Real("nan", std::nan("")).Real("infinity", std::numeric_limits<double>::infinity());
  document.Int("dotted.name", 1).Text("a$b", "dollar");
}

Document AllTypes(const std::string& flavour) {
  Document document, nested;
  document.Text("_id", "all").Real("double", 0.1).Real("minus zero", -0.0).Real("tiny", 5e-324);
  document.Text("text", "nul \0 inside, 😀, Ж"s).Text("empty text", "");
  nested.Embed("empty", Document()).Array("none", Document());
  document.Embed("nested", nested).Bool("yes", true).Bool("no", false).Null("null");
  document.Int("int", -2147483647 - 1).Long("long", std::numeric_limits<int64_t>::min());
  document.Long("small long", 1).Date("before", -1).Date("date", 253402300799999);
  document.Binary("bytes", BSON_SUBTYPE_BINARY, std::string("\0\xff'\"", 4));
  document.Binary("empty bytes", BSON_SUBTYPE_BINARY, "");
  document.Binary("uuid", BSON_SUBTYPE_UUID, "0123456789abcdef");
  document.Binary("user", BSON_SUBTYPE_USER, "x");
  document.Text("поле_😀", "a field named by four-byte characters");
  BSON_APPEND_REGEX(document.get(), "regex", "^a.*ü$", "im");
  BSON_APPEND_TIMESTAMP(document.get(), "timestamp", 1700000000, 4294967295);
  if (flavour != "ferretdb 1") AddTypesOfFullServers(document);
  return document;
}

// What drivers refuse to write and servers keep all the same, once it is there.
Document Malformed() {
  Document document, nested;
  nested.Int("same", 1).Int("same", 2).Int("$dollar", 3).Int("", 4).Int("a.b", 5);
  BSON_APPEND_TIMESTAMP(nested.get(), "zero timestamp", 0, 0);
  document.Text("_id", "malformed").Embed("nested", nested).Int("", 6);
  return document.Text("no UTF-8", "\xff\xfe\xc3\x28");
}

// Ranges over `_id` meet every type here, each of which sorts apart.
void AddIds(DocumentWriter& out, const std::string& flavour) {
  auto add = [&out](Document& document) { out.Add(document.Text("v", "x")); };
  for (int i = 0; i < 5; i++) {
    Document a, b, c, d, e;
    add(a.Int("_id", i - 2));
    add(b.Long("_id", 5000000000 + i));
    add(c.Real("_id", i + 0.5));
    add(d.Text("_id", fmt::format("{}-😀", i)));
    add(e.Id("_id", MakeId(1, "odd", static_cast<uint64_t>(i))));
  }
  Document a, b, c, d, key;
  add(a.Bool("_id", true));
  add(b.Date("_id", 1700000000123));
  add(c.Binary("_id", BSON_SUBTYPE_UUID, "fedcba9876543210"));
  key.Int("b", 1).Int("a", 2);
  add(d.Embed("_id", key));
  if (flavour == "ferretdb 1") return;
  Document e, f, g;
  add(e.Null("_id"));
  BSON_APPEND_MINKEY(f.get(), "_id");
  add(f);
  BSON_APPEND_MAXKEY(g.get(), "_id");
  add(g);
}

void AddIndexes(MongodbClient& client) {
  auto make = [&client](const char* name, const Document& keys, const Document& options) {
    MakeIndex(client, kOpenedx, "indexed", name, keys, options);
  };
  Document filter, positive;
  positive.Int("$gt", 0);
  filter.Embed("n", positive);
  make("partial", Document().Int("n", 1), Document().Embed("partialFilterExpression", filter));
  // Servers before 5.0 refuse an age that reaches back beyond 1970.
  make("ttl", Document().Int("when", 1), Document().Int("expireAfterSeconds", 1000000000));
  make("text", Document().Text("body", "text"), Document().Text("default_language", "german"));
  make("sphere", Document().Text("where", "2dsphere"), Document());
  make("hashed", Document().Text("h", "hashed"), Document());
  make("wildcard", Document().Int("any.$**", 1), Document());
  make("a very long name 😀 with \"quotes\"", Document().Int("a", 1).Int("b", -1), Document());
}

// FerretDB makes plain collections of these without a word: they would prove nothing there.
void AddOptions(MongodbClient& client) {
  Document capped, validated, validator, level, collated, collation, view;
  client.Command(kOpenedx,
                 capped.Text("create", "capped").Bool("capped", true).Long("size", 65536));
  DocumentWriter log(client, kOpenedx, "capped");
  for (int i = 20; i > 0; i--) log.Add(Document().Int("_id", i));
  log.Flush();
  level.Text("$type", "string");
  validator.Embed("name", level);
  validated.Text("create", "validated").Embed("validator", validator);
  client.Command(kOpenedx, validated.Text("validationLevel", "moderate"));
  collation.Text("locale", "de").Int("strength", 2);
  client.Command(kOpenedx, collated.Text("create", "collated").Embed("collation", collation));
  DocumentWriter words(client, kOpenedx, "collated");
  words.Add(Document().Text("_id", "Ä"));
  words.Add(Document().Text("_id", "b"));
  words.Flush();
  view.Text("create", "view_of_types").Text("viewOn", kAll).Array("pipeline", Document());
  client.Command(kOpenedx, view);
}

}  // namespace

void FillOddDocuments(MongodbClient& client) {
  const std::string& flavour = client.flavour();
  DocumentWriter types(client, kOpenedx, kAll);
  types.Add(AllTypes(flavour));
  if (flavour != "ferretdb 1") types.Add(Malformed());
  types.Flush();
  DocumentWriter ids(client, kOpenedx, "odd ids 😀 测试");
  AddIds(ids, flavour);
  ids.Flush();
  client.Command(kOpenedx, Document().Text("create", "empty.collection"));
  DocumentWriter indexed(client, kOpenedx, "indexed");
  for (int i = 0; i < 30; i++) {
    indexed.Add(
        Document().Int("_id", i).Int("n", i - 5).Text("body", "Übung macht Meister").Int("a", i));
  }
  indexed.Flush();
  if (flavour == "ferretdb 1") {
    std::fputs(
        "site-generator: left out, as FerretDB 1 lacks them: types beyond the common ones, "
        "index kinds beyond plain ones, views, capped and other options; arrays in arrays "
        "became documents\n",
        stderr);
    return;
  }
  AddIndexes(client);
  if (flavour == "mongod") {
    AddOptions(client);
  } else {
    std::fputs(
        "site-generator: left out, as FerretDB 2 makes plain collections of them: views, "
        "capped collections, validators, collations\n",
        stderr);
  }
}

}  // namespace sitegen
