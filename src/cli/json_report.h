// The JSON objects of --json and --progress json; docs/operations.md describes them for readers.
#pragma once

#include <nlohmann/json.hpp>

#include "archive/component.h"
#include "archive/manifest.h"
#include "cli/progress_render.h"
#include "engine/location.h"

namespace oxbackup {

/// {"type": "progress", …}.
nlohmann::ordered_json ProgressJson(const ProgressView& view);

/// One component of a manifest; with `objects` also each table, collection and tree.
nlohmann::ordered_json ComponentJson(const ComponentManifest& component, bool objects);
/// What a manifest says as a whole, its components included.
nlohmann::ordered_json ManifestJson(const Manifest& manifest, bool objects);
/// An archive as list and inspect name it.
nlohmann::ordered_json ArchiveJson(const ArchiveEntry& entry);
nlohmann::ordered_json PlanJson(const std::string& component, const RestorePlan& plan);

/// Dumps for output: bytes that are no UTF-8 are replaced, never thrown at.
std::string DumpJson(const nlohmann::ordered_json& json);

}  // namespace oxbackup
