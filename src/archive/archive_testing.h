// Archives in memory, for tests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "archive/archive_reader.h"
#include "archive/archive_writer.h"
#include "archive/member.h"
#include "base/run_context.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// Bytes that do not compress, the same for the same seed.
std::string RandomBytes(uint64_t size, uint32_t seed);
/// Text of SQL's kind, which compresses well; the same for the same seed.
std::string SqlText(uint64_t size, uint32_t seed);

Member MakeFile(std::string path, std::string content);
MemberGroup MakeGroup(std::vector<Member> members);
/// A member of every type, with odd names, times, owners and attributes.
std::vector<Member> EveryKindOfMember();

/// Writes the groups one after the other and gives the archive's bytes.
std::string WriteArchive(const std::string& compression, std::vector<std::vector<Member>> groups,
                         const RunContext& run);

/// What a reader delivered.
struct ReadMember {
  MemberInfo info;
  std::string content;
};
/// Reads every member but data/FORMAT, by path.
std::map<std::string, ReadMember> ReadMembers(ArchiveReader& reader, int threads,
                                              const RunContext& run);
/// Opens the bytes as a file and reads them as ReadMembers does.
std::map<std::string, ReadMember> ReadMembers(const std::string& archive, int threads,
                                              const RunContext& run);

std::unique_ptr<ArchiveReader> OpenBytes(std::string archive, const RunContext& run);
/// Opens the bytes as a pipe.
std::unique_ptr<ArchiveReader> OpenPipe(std::string archive);

/// An archive of ours with a manifest that `lie` has changed, otherwise right in all its parts.
std::string WithManifest(const std::string& archive, const std::function<void(Manifest&)>& lie);

}  // namespace oxbackup
