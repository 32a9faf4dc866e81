#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "archive/archive_layout.h"
#include "archive/manifest.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/log_line.h"

namespace oxbackup {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSealName = "  \"sha256\": \"";
constexpr std::string_view kSealEnd = "\"\n}\n";
constexpr size_t kSha256Digits = 64;

Error BadManifest(const std::string& what) {
  return Error(ErrorKind::kCorrupt, "the archive's manifest is damaged: " + what);
}

// Names that are no UTF-8 are kept by their bytes: JSON cannot hold them as text.
bool IsUtf8(const std::string& text) {
  try {
    static_cast<void>(Json(text).dump());
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

Json ToJson(const ObjectEntry& object) {
  Json json;
  if (!object.database.empty()) json["database"] = object.database;
  json["name"] = object.name;
  json["kind"] = object.kind;
  json["items"] = object.items;
  json["raw_bytes"] = object.raw_bytes;
  if (!object.digest.empty()) json["digest"] = object.digest;
  if (!object.details.empty()) json["details"] = object.details;
  return json;
}

Json ToJson(const MemberEntry& member) {
  Json json;
  if (IsUtf8(member.path)) {
    json["path"] = member.path;
  } else {
    json["path_bytes"] = Hex(member.path);
  }
  json["block"] = member.block;
  json["offset"] = member.offset;
  json["size"] = member.size;
  if (!member.sha256.empty()) json["sha256"] = member.sha256.Hex();
  return json;
}

Json ToJson(const BlockEntry& block) {
  Json json;
  json["stored"] = block.stored_size;
  json["raw"] = block.raw_size;
  json["xxh3_128"] = block.digest;
  return json;
}

// A list with one entry a line.
template <class T>
void AppendList(std::string& out, std::string_view indent, const std::vector<T>& list) {
  out += '[';
  for (size_t i = 0; i < list.size(); ++i) {
    out += fmt::format("{}\n{}  {}", i > 0 ? "," : "", indent, DumpLine(ToJson(list[i])));
  }
  if (!list.empty()) out += fmt::format("\n{}", indent);
  out += ']';
}

void AppendComponent(std::string& out, const ComponentManifest& component) {
  out += fmt::format("    {{\"name\": {},\n", DumpLine(component.name));
  if (!component.server_flavour.empty()) {
    out += fmt::format("     \"server\": {},\n", DumpLine(component.server_flavour));
    out += fmt::format("     \"server_version\": {},\n", DumpLine(component.server_version));
  }
  out += fmt::format("     \"consistency\": {},\n", DumpLine(component.consistency));
  out += fmt::format("     \"positions\": {},\n", DumpLine(Json(component.positions)));
  out += fmt::format("     \"moment\": {},\n", DumpLine(FormatRfc3339(component.moment)));
  out += fmt::format("     \"lock_ms\": {},\n", component.lock_ms);
  if (!component.unseen.empty()) {
    out += fmt::format("     \"unseen\": {},\n", DumpLine(Json(component.unseen)));
  }
  out += "     \"objects\": ";
  AppendList(out, "     ", component.objects);
  out += '}';
}

TimePoint TimeOf(const Json& json) {
  const std::optional<TimePoint> time = ParseRfc3339(json.get_ref<const std::string&>());
  if (!time) throw BadManifest("a time is malformed");
  return *time;
}

// Numbers have to be there as numbers: neither text nor fractions nor negative ones are taken.
uint64_t CountOf(const Json& json) {
  if (!json.is_number_unsigned()) throw BadManifest("a number is not a whole one");
  return json.get<uint64_t>();
}

int64_t SignedOf(const Json& json) {
  if (!json.is_number_integer()) throw BadManifest("a number is not a whole one");
  return json.get<int64_t>();
}

std::string TextOf(const Json& json) { return json.get_ref<const std::string&>(); }

std::string OptionalText(const Json& json, const char* name) {
  return json.contains(name) ? TextOf(json.at(name)) : std::string();
}

std::map<std::string, std::string> TextsOf(const Json& json) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : json.get_ref<const Json::object_t&>()) {
    texts.emplace(name, TextOf(value));
  }
  return texts;
}

bool IsHex(const std::string& text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string BytesOfHex(const std::string& hex) {
  std::optional<std::string> bytes = FromHex(hex);
  if (!bytes) throw BadManifest("a name is malformed");
  return *std::move(bytes);
}

MemberEntry MemberOf(const Json& json) {
  MemberEntry member;
  member.path = json.contains("path_bytes") ? BytesOfHex(TextOf(json.at("path_bytes")))
                                            : TextOf(json.at("path"));
  member.block = CountOf(json.at("block"));
  member.offset = CountOf(json.at("offset"));
  member.size = CountOf(json.at("size"));
  const std::string sha256 = OptionalText(json, "sha256");
  if (!sha256.empty() && !IsHex(sha256, kSha256Digits)) {
    throw BadManifest("a SHA-256 is malformed");
  }
  member.sha256 = Sha256Digest(sha256);
  return member;
}

BlockEntry BlockOf(const Json& json) {
  BlockEntry block{CountOf(json.at("stored")), CountOf(json.at("raw")),
                   TextOf(json.at("xxh3_128"))};
  if (!IsHex(block.digest, 32)) throw BadManifest("a block's digest is malformed");
  return block;
}

ObjectEntry ObjectOf(const Json& json) {
  ObjectEntry object;
  object.database = OptionalText(json, "database");
  object.name = TextOf(json.at("name"));
  object.kind = TextOf(json.at("kind"));
  object.items = CountOf(json.at("items"));
  object.raw_bytes = CountOf(json.at("raw_bytes"));
  object.digest = OptionalText(json, "digest");
  if (json.contains("details")) object.details = TextsOf(json.at("details"));
  return object;
}

ComponentManifest ComponentOf(const Json& json) {
  ComponentManifest component;
  component.name = TextOf(json.at("name"));
  component.server_flavour = OptionalText(json, "server");
  component.server_version = OptionalText(json, "server_version");
  component.consistency = TextOf(json.at("consistency"));
  component.positions = TextsOf(json.at("positions"));
  component.moment = TimeOf(json.at("moment"));
  component.lock_ms = SignedOf(json.at("lock_ms"));
  if (json.contains("unseen")) component.unseen = TextsOf(json.at("unseen"));
  for (const Json& object : json.at("objects").get_ref<const Json::array_t&>()) {
    component.objects.push_back(ObjectOf(object));
  }
  return component;
}

// Checks the seal first, and returns its SHA-256: nothing else in a damaged text means anything.
std::string CheckSeal(std::string_view text) {
  const size_t seal_size = kSealName.size() + kSha256Digits + kSealEnd.size();
  if (text.size() < seal_size) throw BadManifest("it is too short");
  const std::string_view sealed = text.substr(0, text.size() - seal_size);
  std::string sha256 = Sha256Hex(sealed);
  const std::string expected = fmt::format("{}{}{}", kSealName, sha256, kSealEnd);
  if (text.substr(sealed.size()) != expected) throw BadManifest("its SHA-256 does not fit");
  return sha256;
}

// Members and blocks are taken out of the document as they are parsed: there may be a million, and
// a tree of JSON values takes ten times the text.
Json ParseText(std::string_view text, Manifest* manifest) {
  std::string section;
  const auto take = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key) section = TextOf(parsed);
    if (depth != 2 || event != Json::parse_event_t::object_end) return true;
    if (section == "members") {
      manifest->members.push_back(MemberOf(parsed));
    } else if (section == "blocks") {
      manifest->blocks.push_back(BlockOf(parsed));
    } else {
      return true;
    }
    return false;
  };
  return Json::parse(text, take);
}

void FillFromJson(const Json& json, Manifest* manifest) {
  manifest->tool_version = TextOf(json.at("tool_version"));
  manifest->host = TextOf(json.at("host"));
  manifest->compression = TextOf(json.at("compression"));
  manifest->started = TimeOf(json.at("started"));
  manifest->finished = TimeOf(json.at("finished"));
  manifest->skew_ms = SignedOf(json.at("skew_ms"));
  for (const Json& component : json.at("components").get_ref<const Json::array_t&>()) {
    manifest->components.push_back(ComponentOf(component));
  }
  for (const Json& warning : json.at("warnings").get_ref<const Json::array_t&>()) {
    manifest->warnings.push_back(TextOf(warning));
  }
  if (!json.at("members").empty() || !json.at("blocks").empty()) {
    throw BadManifest("a member or block is no object");
  }
}

// A newer format may look different in all but this one property.
void CheckVersion(std::string_view text) {
  constexpr std::string_view kStart = "{\n  \"format_version\": ";
  if (!text.starts_with(kStart)) throw BadManifest("it does not begin as one");
  int version = 0;
  for (const char c : text.substr(kStart.size(), 6)) {
    if (c < '0' || c > '9') break;
    version = version * 10 + (c - '0');
  }
  if (version < 1) throw BadManifest("it has no format version");
  if (version > kFormatVersion) {
    throw Error(ErrorKind::kUsage,
                fmt::format("the archive has format {}, this openedx-backup reads up to {}",
                            version, kFormatVersion))
        .Hint(
            "install a newer openedx-backup; data/FORMAT in the archive says how to restore it by "
            "hand");
  }
}

// About what the lists take as text. A text that doubles its room whenever it is full needs three
// times its size for a moment, and of half a million files that is more than all else.
size_t RoomForLists(const Manifest& manifest) {
  constexpr size_t kMemberWithoutPath = 200;
  constexpr size_t kBlock = 120;
  size_t room = manifest.blocks.size() * kBlock;
  for (const MemberEntry& member : manifest.members)
    room += member.path.size() + kMemberWithoutPath;
  return room;
}

}  // namespace

std::string SerializeManifest(const Manifest& manifest) {
  std::string out;
  out.reserve(RoomForLists(manifest));
  out += "{\n";
  out += fmt::format("  \"format_version\": {},\n", manifest.format_version);
  out += fmt::format("  \"tool_version\": {},\n", DumpLine(manifest.tool_version));
  out += fmt::format("  \"host\": {},\n", DumpLine(manifest.host));
  out += fmt::format("  \"compression\": {},\n", DumpLine(manifest.compression));
  out += fmt::format("  \"started\": {},\n", DumpLine(FormatRfc3339(manifest.started)));
  out += fmt::format("  \"finished\": {},\n", DumpLine(FormatRfc3339(manifest.finished)));
  out += fmt::format("  \"skew_ms\": {},\n  \"components\": [", manifest.skew_ms);
  for (size_t i = 0; i < manifest.components.size(); ++i) {
    out += i > 0 ? ",\n" : "\n";
    AppendComponent(out, manifest.components[i]);
  }
  out += fmt::format("],\n  \"warnings\": {},\n  \"members\": ", DumpLine(Json(manifest.warnings)));
  AppendList(out, "  ", manifest.members);
  out += ",\n  \"blocks\": ";
  AppendList(out, "  ", manifest.blocks);
  out += ",\n";
  out += fmt::format("{}{}{}", kSealName, Sha256Hex(out), kSealEnd);
  return out;
}

Manifest ParseManifest(std::string_view json) {
  CheckVersion(json);
  Manifest manifest;
  manifest.sha256 = CheckSeal(json);
  try {
    FillFromJson(ParseText(json, &manifest), &manifest);
  } catch (const Json::exception& error) {
    throw BadManifest("it is no JSON of the right form").Cause(error.what());
  }
  CheckLayout(manifest);
  return manifest;
}

}  // namespace oxbackup
