#include "archive/format_member.h"

namespace oxbackup {
namespace {

constexpr std::string_view kMark = "openedx-backup: ";

constexpr std::string_view kText =
    R"(openedx-backup: archive format 1

This is a backup of an Open edX site, an ordinary tar archive. To restore it:

  openedx-backup restore --from FILE

To restore it by hand, without openedx-backup, put it into an empty folder and
unpack it there:

  tar --delay-directory-restore -xf FILE && cd data

MySQL (a client that does not know --commands needs none):

  mysql --commands -u root -p < mysql_dump.sql

MongoDB, of which collections that come in parts are joined first:

  find mongodb_dump -name '*.bson.*' | sed 's/\.bson\..*/.bson/' | sort -u |
    while IFS= read -r f; do cat "$f".* > "$f" && rm "$f".*; done
  mongorestore --drop --dir mongodb_dump

With mongodb_dump/oplog.bson the last line needs --oplogReplay. Caddy, media and
Tutor's config.yml are in caddy, media and tutor.

data/manifest.json, the last member, lists every member with its SHA-256. An
archive without it is incomplete.
)";

}  // namespace

Member MakeFormatMember() {
  Member member;
  member.info.path = kFormatPath;
  member.content = kText;
  return member;
}

bool IsFormatMember(std::string_view path, std::string_view content) {
  return path == kFormatPath && content.starts_with(kMark);
}

}  // namespace oxbackup
