// A component of an archive in a few numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/manifest.h"
#include "report/run_summary.h"

namespace oxbackup {

struct ComponentSummary {
  std::string name;
  uint64_t databases = 0;
  uint64_t objects = 0;  ///< tables, collections or trees; views are not counted
  uint64_t items = 0;    ///< rows, documents or files
  uint64_t raw_bytes = 0;
  /// 32 hexadecimal digits over the names, counts and digests of all objects, so that two sites can
  /// be compared by one number (docs/operations.md, "Digest of a component"); empty without
  /// objects.
  std::string digest;
};

ComponentSummary Summarize(const ComponentManifest& component);

/// "2 databases   412 tables   1,911,402 rows": the cells of its line in a summary.
std::vector<std::string> SummaryCells(const ComponentSummary& summary);

/// "7f3a…c1", enough to compare by eye.
std::string ShortDigest(const std::string& digest, bool unicode);

/// The components of a manifest in its order, for those who watch a run.
std::vector<ComponentFacts> ComponentFactsOf(const Manifest& manifest);

/// "mysql", "mongodb", …: the components of a manifest in its order.
std::vector<std::string> ComponentNamesOf(const Manifest& manifest);

}  // namespace oxbackup
