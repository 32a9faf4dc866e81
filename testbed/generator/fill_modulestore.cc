#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "fill.h"
#include "fill_mongodb.h"
#include "random.h"
#include "text.h"

namespace sitegen {
namespace {

constexpr size_t kChunkBytes = 255 * 1024;

Document EditInfo(Random& random, const bson_oid_t& version) {
  Document info;
  info.Long("edited_by", random.Int(1, 50)).Date("edited_on", Moment(random) * 1000);
  return info.Null("previous_version").Id("original_version", version);
}

// Pairs of a type and a name; `flat`, as FerretDB 1 has no arrays in arrays: documents of them.
Document Children(const Model& model, int64_t course, int64_t block, bool flat) {
  int64_t first = block == 0 ? 1 : block * 19 - 10;
  return ListOf(block == 0 ? 8 : 19, [&](Document& list, const auto& name, int64_t i) {
    int64_t child = std::min(first + i, kBlocksPerCourse - 1);
    Document pair;
    pair.Text("0", BlockType(child)).Text("1", BlockHex(model, course, child));
    flat ? list.Embed(name, pair) : list.Array(name, pair);
  });
}

Document Block(const Model& model, int64_t course, int64_t block, Random& random,
               const bson_oid_t& version, bool flat) {
  Document fields;
  fields.Text("display_name", Prose(random, 20));
  if (block <= 8) {
    fields.Array("children", Children(model, course, block, flat));
  } else if (random.Percent(30)) {
    fields.Int("max_attempts", random.Int(1, 9)).Real("weight", random.Int(1, 8) / 2.0);
    fields.Bool("graded", true).Text("format", "Übung").Date("due", Moment(random) * 1000);
  }
  Document document;
  document.Text("block_type", BlockType(block)).Text("block_id", BlockHex(model, course, block));
  document.Embed("fields", fields).Embed("defaults", Document()).Embed("asides", Document());
  document.Id("definition", MakeId(model.seed, "definition",
                                   static_cast<uint64_t>(course * kBlocksPerCourse + block)));
  return document.Embed("edit_info", EditInfo(random, version));
}

Document Structure(const Model& model, int64_t number, bool flat) {
  Random random(model.seed, "structure", static_cast<uint64_t>(number));
  int64_t course = number % model.courses;
  bson_oid_t id = MakeId(model.seed, "structure", static_cast<uint64_t>(number));
  Document document, root;
  root.Text("0", "course").Text("1", BlockHex(model, course, 0));
  document.Id("_id", id).Array("root", root);
  document.Array("blocks",
                 ListOf(kBlocksPerCourse, [&](Document& list, const auto& name, int64_t i) {
                   list.Embed(name, Block(model, course, i, random, id, flat));
                 }));
  document.Int("schema_version", 1).Long("edited_by", random.Int(1, 50));
  document.Date("edited_on", Moment(random) * 1000).Id("original_version", id);
  return number < model.courses
             ? document.Null("previous_version")
             : document.Id(
                   "previous_version",
                   MakeId(model.seed, "structure", static_cast<uint64_t>(number - model.courses)));
}

Document Definition(const Model& model, int64_t number) {
  Random random(model.seed, "definition", static_cast<uint64_t>(number));
  bson_oid_t id = MakeId(model.seed, "definition", static_cast<uint64_t>(number));
  Document document, fields;
  std::string_view type = BlockType(number % kBlocksPerCourse);
  if (type == "html" || type == "problem") {
    fields.Text("data", fmt::format("<div class=\"{}\"><p>{}</p></div>", type,
                                    Prose(random, 200 + random.Below(4000))));
  } else if (type == "course") {
    fields.Text("wiki_slug", fmt::format("wiki.{}", number)).Embed("grading_policy", Document());
  }
  document.Id("_id", id).Text("block_type", type).Embed("fields", fields);
  return document.Embed("edit_info", EditInfo(random, id)).Int("schema_version", 1);
}

Document ActiveVersion(const Model& model, int64_t course, int64_t structures) {
  Random random(model.seed, "active_version", static_cast<uint64_t>(course));
  auto index = static_cast<uint64_t>(course);
  int64_t last = course + (structures - 1 - course) / model.courses * model.courses;
  Document document, versions, targets;
  versions.Id("draft-branch", MakeId(model.seed, "structure", static_cast<uint64_t>(last)));
  versions.Id("published-branch", MakeId(model.seed, "structure", index));
  targets.Text("wiki_slug", fmt::format("wiki.{}", course));
  document.Id("_id", MakeId(model.seed, "active_version", index)).Text("org", CourseOrg(course));
  document.Text("course", CourseNumber(course)).Text("run", CourseRun(course));
  document.Long("edited_by", 7).Date("edited_on", Moment(random) * 1000);
  document.Embed("versions", versions).Embed("search_targets", targets).Int("schema_version", 1);
  return document.Date("last_update", Moment(random) * 1000);
}

// The old modulestore: its `_id` is a document, and the order of its fields counts.
Document OldModule(const Model& model, int64_t number) {
  Random random(model.seed, "modulestore", static_cast<uint64_t>(number));
  Document id, document, definition;
  id.Text("tag", "i4x").Text("org", CourseOrg(number)).Text("course", CourseNumber(number % 7));
  id.Text("category", number % 3 == 0 ? "chapter" : "html").Text("name", Hex(random, 32));
  number % 2 == 0 ? id.Null("revision") : id.Text("revision", "draft");
  definition.Text("data", Prose(random, 500));
  document.Embed("_id", id).Embed("definition", definition).Embed("metadata", Document());
  return document;
}

// An asset's name is a document in old courses and a text in new ones.
Document FileId(const Model& model, int64_t number, bool whole) {
  Document id;
  int64_t course = number % model.courses;
  if (number % 3 == 0) {
    Document name;
    name.Text("category", "asset").Text("name", fmt::format("слайд_{}.pdf", number));
    name.Text("course", CourseNumber(course)).Text("tag", "c4x").Text("org", CourseOrg(course));
    name.Null("revision");
    id.Embed(whole ? "_id" : "files_id", name);
  } else {
    id.Text(whole ? "_id" : "files_id",
            fmt::format("asset-v1:{}+{}+{}+type@asset+block@картинка_{}.png", CourseOrg(course),
                        CourseNumber(course), CourseRun(course), number));
  }
  return id;
}

}  // namespace

void FillModulestore(MongodbClient& client, const Model& model, uint64_t bytes) {
  bool flat = client.flavour() == "ferretdb 1";
  DocumentWriter structures(client, kOpenedx, "modulestore.structures");
  int64_t count = 0;
  // Every save of a course is a new structure: they are most of it.
  while (count < model.courses || structures.bytes() < bytes / 2) {
    structures.Add(Structure(model, count++, flat));
  }
  structures.Flush();
  DocumentWriter definitions(client, kOpenedx, "modulestore.definitions");
  int64_t wanted = model.courses * kBlocksPerCourse;
  for (int64_t i = 0; i < wanted && (i < 200 || definitions.bytes() < bytes / 2); i++) {
    definitions.Add(Definition(model, i));
  }
  definitions.Flush();
  DocumentWriter active(client, kOpenedx, "modulestore.active_versions");
  for (int64_t i = 0; i < model.courses; i++) active.Add(ActiveVersion(model, i, count));
  active.Flush();
  DocumentWriter old(client, kOpenedx, "modulestore");
  for (int64_t i = 0; i < 60; i++) old.Add(OldModule(model, i));
  old.Flush();
  MakeIndex(client, kOpenedx, "modulestore.active_versions", "org_1_course_1_run_1",
            Document().Int("org", 1).Int("course", 1).Int("run", 1),
            Document().Bool("unique", true));
  MakeIndex(client, kOpenedx, "modulestore.active_versions", "course_id_sparse",
            Document().Int("search_targets.wiki_slug", 1), Document().Bool("sparse", true));
  MakeIndex(client, kOpenedx, "modulestore.structures", "previous_version_1",
            Document().Int("previous_version", 1));
}

void FillGridfs(MongodbClient& client, const Model& model, uint64_t bytes) {
  DocumentWriter files(client, kOpenedx, "fs.files");
  DocumentWriter chunks(client, kOpenedx, "fs.chunks");
  uint64_t chunk = 0;
  for (int64_t i = 0; i < 12 || chunks.bytes() < bytes; i++) {
    Random random(model.seed, "gridfs", static_cast<uint64_t>(i));
    // Few large files among many small ones, an empty one, one of whole chunks.
    size_t largest = bytes < (4 << 20) ? 3 * kChunkBytes : 12 * kChunkBytes;
    size_t length = i == 1   ? 0
                    : i == 2 ? 2 * kChunkBytes
                             : random.Below(i % 9 == 0 ? largest : 90000);
    Document file = FileId(model, i, true);
    file.Date("uploadDate", Moment(random) * 1000).Long("length", static_cast<int64_t>(length));
    file.Int("chunkSize", kChunkBytes).Text("md5", Hex(random, 32)).Bool("locked", false);
    file.Text("displayname", GivenName(random) + ".png").Text("contentType", "image/png");
    files.Add(file.Null("thumbnail_location"));
    for (size_t done = 0, n = 0; done < length; n++) {
      size_t part = std::min(kChunkBytes, length - done);
      Document document;
      document.Id("_id", MakeId(model.seed, "chunk", chunk++)).Int("n", static_cast<int32_t>(n));
      document.Binary("data", BSON_SUBTYPE_BINARY, random.Bytes(part));
      Document id = FileId(model, i, false);
      bson_concat(document.get(), id.get());
      chunks.Add(document);
      done += part;
    }
  }
  files.Flush();
  chunks.Flush();
  MakeIndex(client, kOpenedx, "fs.chunks", "files_id_1_n_1",
            Document().Int("files_id", 1).Int("n", 1), Document().Bool("unique", true));
  MakeIndex(client, kOpenedx, "fs.files", "uploadDate_1", Document().Int("uploadDate", 1));
}

}  // namespace sitegen
