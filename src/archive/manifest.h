// data/manifest.json: what an archive holds, where, and how it was made. docs/format.md and
// docs/manifest.schema.json are the description for readers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"

namespace oxbackup {

/// The manifest format that this code writes. Readers accept every version up to it and refuse
/// newer ones by name.
inline constexpr int kFormatVersion = 1;
inline constexpr char kManifestPath[] = "data/manifest.json";

/// One block of the archive.
struct BlockEntry {
  uint64_t stored_size = 0;  ///< bytes in the archive file
  uint64_t raw_size = 0;     ///< bytes of the tar stream
  std::string digest;        ///< XXH3 128 of the stored bytes, 32 hexadecimal digits
};

/// Where a member lies in the tar stream, and its content's SHA-256.
struct MemberEntry {
  std::string path;
  uint64_t block = 0;   ///< index of the block that holds the first byte of its header
  uint64_t offset = 0;  ///< of its content in the whole tar stream, bytes
  uint64_t size = 0;    ///< of its content, bytes
  Sha256Digest sha256;  ///< of its content; empty for directories and links
};

/// One table, view, collection or file tree, with what a restored copy is compared with.
struct ObjectEntry {
  std::string database;  ///< empty for file trees
  std::string name;
  std::string kind;        ///< "table", "view", "collection", "tree", …
  uint64_t items = 0;      ///< rows, documents, or files with their folders
  uint64_t raw_bytes = 0;  ///< bytes in the archive before compression
  std::string digest;      ///< ContentDigest; empty where there is nothing to compare
  std::map<std::string, std::string> details;  ///< engine, options, …: for people and for restore
};

/// Whether it has rows, documents or files of its own, unlike a view, a routine or an account.
bool HoldsData(const ObjectEntry& object);

/// One component of the site.
struct ComponentManifest {
  /// Of all objects together.
  uint64_t RawBytes() const;

  std::string name;            ///< "mysql", "mongodb", "caddy", "media", "config"
  std::string server_flavour;  ///< "MySQL", "MariaDB", "MongoDB", "FerretDB", …; empty for files
  std::string server_version;
  std::string consistency;                       ///< how one moment was reached, in a sentence
  std::map<std::string, std::string> positions;  ///< "gtid_executed", "binlog_file", "oplog_end", …
  TimePoint moment{};                            ///< the instant that the copy stands for
  int64_t lock_ms = 0;                           ///< how long writers were held, milliseconds
  /// Database -> kinds of objects ("triggers, events") of which the archive may lack some, since
  /// the account had no right to see them all.
  std::map<std::string, std::string> unseen;
  std::vector<ObjectEntry> objects;  ///< sorted by database, then name
};

/// What the lists of a manifest add up to.
struct ListTotals {
  uint64_t members = 0;
  uint64_t blocks = 0;
  uint64_t raw_bytes = 0;  ///< of all blocks of data, before compression
};

struct Manifest {
  int format_version = kFormatVersion;
  std::string tool_version;
  std::string host;         ///< where the engine ran
  std::string compression;  ///< as FormatCompression gives it
  TimePoint started{};
  TimePoint finished{};
  int64_t skew_ms = 0;  ///< between the first and the last component's moment
  std::vector<ComponentManifest> components;
  std::vector<std::string> warnings;
  std::vector<MemberEntry> members;  ///< in archive order, without the manifest itself
  std::vector<BlockEntry> blocks;    ///< in archive order, without the manifest's own block
  /// Of its own text, which ends with it, as it was parsed: no other archive has the same. Empty in
  /// one that was never text.
  std::string sha256;

  /// Zeros behind DropLists.
  ListTotals Totals() const;
  /// Nothing (nullptr) when the archive lacks the component.
  const ComponentManifest* Find(std::string_view component) const;
  /// Empties members and blocks, which are nearly all of its memory.
  void DropLists();
};

/// JSON text whose last property is a SHA-256 of all text before it.
std::string SerializeManifest(const Manifest& manifest);
/// Throws Error(kCorrupt) when the text is not a manifest, its own SHA-256 does not fit or a number
/// in it is impossible, and Error(kUsage) with a hint when it is of a newer format.
Manifest ParseManifest(std::string_view json);

}  // namespace oxbackup
