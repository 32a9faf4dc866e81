#include "archive/component.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/log_line.h"

namespace oxbackup {

std::string SerializeApplied(const AppliedArchive& applied) {
  return DumpLine({{"archive", applied.archive},
                   {"version", applied.version},
                   {"identity", applied.identity},
                   {"created", applied.created},
                   {"applied", applied.applied},
                   {"run_id", applied.run_id}});
}

std::optional<AppliedArchive> ParseApplied(std::string_view json) {
  try {
    const nlohmann::json object = nlohmann::json::parse(json);
    return AppliedArchive{.archive = object.at("archive").get<std::string>(),
                          .version = object.at("version").get<std::string>(),
                          .identity = object.at("identity").get<std::string>(),
                          .created = object.at("created").get<std::string>(),
                          .applied = object.at("applied").get<std::string>(),
                          .run_id = object.at("run_id").get<std::string>()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::string SerializeRemoval(const AppliedArchive& awaited) {
  return DumpLine({{"awaited", nlohmann::json::parse(SerializeApplied(awaited))}});
}

std::optional<AppliedArchive> ParseRemoval(std::string_view json) {
  const nlohmann::json object = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("awaited")) return std::nullopt;
  return ParseApplied(object.at("awaited").dump());
}

std::string SerializeIntent(const SwapIntent& intent) {
  // An archive's name may be any bytes; here it is for people alone.
  return DumpLine({{"run_id", intent.run_id},
                   {"archive", intent.archive},
                   {"started", intent.started},
                   {"components", intent.components},
                   {"keep_old", intent.keep_old},
                   {"version", intent.version},
                   {"identity", intent.identity},
                   {"created", intent.created},
                   {"applied", intent.applied}});
}

SwapIntent ParseIntent(std::string_view json) {
  try {
    const nlohmann::json object = nlohmann::json::parse(json);
    return SwapIntent{.run_id = object.at("run_id").get<std::string>(),
                      .archive = object.at("archive").get<std::string>(),
                      .started = object.at("started").get<std::string>(),
                      .components = object.at("components").get<std::vector<std::string>>(),
                      .keep_old = object.at("keep_old").get<bool>(),
                      .version = object.value("version", ""),
                      .identity = object.value("identity", ""),
                      .created = object.value("created", ""),
                      .applied = object.value("applied", "")};
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kCorrupt, "the record of an interrupted restore cannot be read")
        .Cause(error.what());
  }
}

}  // namespace oxbackup
