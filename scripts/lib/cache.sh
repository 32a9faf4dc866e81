# shellcheck shell=bash
# The folder that outlives a checkout: the testbed's, so that whoever keeps it keeps everything.
# shellcheck disable=SC2034 # for whoever sources this
CACHE=${OPENEDX_BACKUP_TESTBED:-${XDG_CACHE_HOME:-${HOME:?HOME is not set; set OPENEDX_BACKUP_TESTBED}/.cache}/openedx-backup-testbed}
[[ $CACHE == /* ]] || CACHE=$PWD/$CACHE
