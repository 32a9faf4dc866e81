// The engine behind another program, whose commands the operator knows.
#pragma once

#include <string>
#include <string_view>

namespace oxbackup {

/// The value of OPENEDX_BACKUP_FRONT_END: "tutor local" in the Tutor plugin's containers; empty for
/// an engine that is called by itself.
std::string FrontEnd();

/// The text with this program's commands as the front end has them: "openedx-backup restore --from
/// PLACE --name X" becomes "tutor local restore --name X" (the place is a container's; for a bucket
/// "--download --name X", unless it is "tutor k8s", which has no other place), and "openedx-backup
/// list" becomes "tutor local backups list". Settings of the bucket get its names ("S3_TAGS"
/// becomes "BACKUP_S3_TAGS"). Unchanged without a front end.
std::string InFrontEndsWords(std::string_view text, std::string_view front_end);

}  // namespace oxbackup
