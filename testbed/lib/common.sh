# shellcheck shell=bash
# Where things lie, how the testbed speaks, and the locks that let several shells use it at once.

# One folder holds everything: what was fetched or built (kept, keyed by recipe) and what runs.
if [[ -n ${OPENEDX_BACKUP_TESTBED:-} ]]; then
  CACHE=$OPENEDX_BACKUP_TESTBED
else
  CACHE=${XDG_CACHE_HOME:-${HOME:?is not set; set OPENEDX_BACKUP_TESTBED}/.cache}
  CACHE+=/openedx-backup-testbed
fi
[[ $CACHE == /* ]] || CACHE=$PWD/$CACHE
if ((${#CACHE} > 80)); then
  printf 'testbed: error: the path %s is too long for Unix sockets below it\n' "$CACHE" >&2
  printf 'testbed: hint: name a shorter folder by OPENEDX_BACKUP_TESTBED\n' >&2
  exit 1
fi
# Several testbeds can run side by side out of one cache: instance N has a run folder of its own, and
# its default ports lie 10 * N higher.
INSTANCE=${TESTBED_INSTANCE:-0}
if [[ ! $INSTANCE =~ ^[0-9]{1,2}$ ]]; then
  printf "testbed: error: TESTBED_INSTANCE '%s' is no number from 0 to 99\n" "$INSTANCE" >&2
  exit 1
fi
INSTANCE=$((10#$INSTANCE))
RUN=$CACHE/run
((INSTANCE == 0)) || RUN+=-$INSTANCE
BIN=$CACHE/bin

# Every server's administrator has this password: whoever passes one through a shell, a URI or an
# SQL string without quoting fails here, not at a user's site.
# shellcheck disable=SC2016 # the dollar is meant
PASSWORD=${TESTBED_PASSWORD:-'p@ss '\''w"o$rd&;\%/'}

# Default ports lie below 32768, where Linux begins to hand out ports of its own for connections.
default_port() { printf '%s\n' $(($1 + 10 * INSTANCE)); }

say() { printf 'testbed: %s\n' "$*" >&2; }

# die WHAT [HINT]: ends this shell; HINT says what to do next.
die() {
  printf 'testbed: error: %s\n' "$1" >&2
  [[ -z ${2:-} ]] || printf 'testbed: hint: %s\n' "$2" >&2
  exit 1
}

# with_lock NAME COMMAND…: one run at a time of what carries the same name. Runs in a subshell:
# the lock goes away with it, also when it dies. Servers must not inherit the lock: see spawn.
with_lock() (
  mkdir -p "$CACHE/locks"
  exec 9>"$CACHE/locks/$1"
  if ! flock -n 9; then
    say "waiting for another testbed that works on $1"
    flock 9
  fi
  shift
  "$@"
)

# build_into TARGET COMMAND…: runs COMMAND with a temporary folder as its last argument and gives
# the folder its final name when the command succeeded, so that a TARGET that exists is whole.
# Never call it in a condition: bash would then run COMMAND to its end past errors.
build_into() {
  local target=$1 temporary=$1.partial status
  shift
  [[ ! -d $target ]] || return 0
  rm -rf "$temporary" # left over by a killed run: the caller holds the lock
  mkdir -p "$temporary"
  set +e
  (
    set -e
    "$@" "$temporary"
  )
  status=$?
  set -e
  if ((status != 0)); then
    rm -rf "$temporary"
    die "could not make $target"
  fi
  mv -T "$temporary" "$target"
}

short_hash() { sha256sum | cut -c1-12; }

require_root() {
  ((EUID == 0)) || die "the testbed installs packages and must run as root" "run it through sudo"
}

# need COMMAND PACKAGE…: installs the packages when the command is missing.
need() {
  local command=$1
  shift
  ! command -v "$command" >/dev/null || return 0
  apt_install "$@"
  command -v "$command" >/dev/null || die "'$command' is missing although $* is installed"
}

apt_install() {
  local log=$CACHE/apt.log
  # Another apt-get, as of unattended upgrades, may hold the lock for a while.
  local apt=(apt-get -o DPkg::Lock::Timeout=300)
  mkdir -p "$CACHE"
  say "installing the packages $*"
  export DEBIAN_FRONTEND=noninteractive
  if ! "${apt[@]}" install -y --no-install-recommends "$@" >"$log" 2>&1; then
    # The package lists may be missing or old: read them again, then it is an error.
    if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"; } >>"$log" 2>&1; then
      tail -n 20 "$log" >&2
      die "apt-get could not install $*" "the whole log is $log"
    fi
  fi
}
