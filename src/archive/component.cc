#include "archive/component.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/log_line.h"

namespace oxbackup {

std::string SerializeIntent(const SwapIntent& intent) {
  // An archive's name may be any bytes; here it is for people alone.
  return DumpLine({{"run_id", intent.run_id},
                   {"archive", intent.archive},
                   {"started", intent.started},
                   {"components", intent.components},
                   {"keep_old", intent.keep_old}});
}

SwapIntent ParseIntent(std::string_view json) {
  try {
    const nlohmann::json object = nlohmann::json::parse(json);
    return SwapIntent{.run_id = object.at("run_id").get<std::string>(),
                      .archive = object.at("archive").get<std::string>(),
                      .started = object.at("started").get<std::string>(),
                      .components = object.at("components").get<std::vector<std::string>>(),
                      .keep_old = object.at("keep_old").get<bool>()};
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kCorrupt, "the record of an interrupted restore cannot be read")
        .Cause(error.what());
  }
}

}  // namespace oxbackup
