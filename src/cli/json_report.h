// The JSON objects of --json and --progress json; docs/operations.md describes them for readers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "archive/component.h"
#include "archive/manifest.h"
#include "cli/progress_render.h"
#include "engine/applied.h"
#include "engine/archive_list.h"
#include "engine/stored_sizes.h"

namespace oxbackup {

/// {"type": "progress", …}.
nlohmann::ordered_json ProgressJson(const ProgressView& view);

/// What a manifest says as a whole, its components included. `lists`: of it as it was read or
/// written, since it may have dropped them. With `objects` also each table, collection and tree.
nlohmann::ordered_json ManifestJson(const Manifest& manifest, const ListTotals& lists,
                                    bool objects);
/// Adds what each component and, where they are listed, each table, collection and tree takes in
/// the file to what ManifestJson made of the same manifest.
void AddStoredSizes(const Manifest& manifest, const StoredSizes& stored,
                    nlohmann::ordered_json& json);
/// An archive as list and inspect name it.
nlohmann::ordered_json ArchiveJson(const ArchiveEntry& entry);
/// What a site, or a component of it, holds.
nlohmann::ordered_json AppliedJson(const AppliedArchive& applied);
/// The same by component.
nlohmann::ordered_json HeldJson(const HeldArchives& held);
/// What a restore is going to do, as its result says it too.
nlohmann::ordered_json PlansJson(const std::vector<std::pair<std::string, RestorePlan>>& plans);

}  // namespace oxbackup
