# shellcheck shell=bash
# Programs out of the Go module proxy. Each has a folder under go/ with a go.mod and a committed
# go.sum, which pin every module by its hash.

GO_FOLDER=$(dirname "$LIB")/go

# go_path NAME: where the built programs lie. The name changes with its sources.
go_path() {
  printf '%s/go/%s-%s\n' "$CACHE" "$1" \
    "$(find "$GO_FOLDER/$1" -type f | LC_ALL=C sort | xargs cat | short_hash)"
}

# go_install NAME COMMAND…: COMMAND, with the target folder added, builds into it.
go_install() { with_lock "go-$1" go_install_locked "$@"; }

go_install_locked() {
  local path
  path=$(go_path "$1")
  [[ ! -d $path ]] || return 0
  [[ -e /etc/ssl/certs/ca-certificates.crt ]] || apt_install ca-certificates
  say "building $1 with Go (minutes, once)"
  build_into "$path" "${@:2}"
}

# go_run FOLDER ARGUMENT…: the go command in a copy's folder, with all of its caches in ours.
# GONOSUMDB: mongo-tools' commit is not in the checksum database; go.sum pins it instead.
go_run() {
  local folder=$1 program
  shift
  program=$(go_program)
  (
    cd "$folder" || exit
    export GOMODCACHE=$CACHE/go/modules GOCACHE=$CACHE/go/build
    export GOFLAGS='-modcacherw -buildvcs=false'
    export GONOSUMDB=github.com/mongodb/mongo-tools CGO_ENABLED=0 GOWORK=off
    nice -n 5 "$program" "$@"
  )
}

# go_build NAME PACKAGE OUTPUT [FLAG…]
go_build() { go_build_in "$GO_FOLDER/$1" "$@"; }

# go_build_in FOLDER NAME PACKAGE OUTPUT [FLAG…]: with FOLDER's go.mod.
go_build_in() {
  local log=$CACHE/go-$2.log
  if ! go_run "$1" build -o "$4" "${@:5}" "$3" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "go could not build $3" "the log is $log; it needs the Go module proxy (GOPROXY)"
  fi
}

# The machine's own Go when it is new enough; else Debian's, unpacked into a root: it is static
# enough to run from there, and needs nothing of the root but its own tree.
go_program() {
  local program version
  if program=$(command -v go) && version=$("$program" env GOVERSION 2>/dev/null) &&
    version_at_least "${version#go}" 1.26; then
    printf '%s\n' "$program"
    return
  fi
  local recipe=(go "${TESTBED_GO_SUITE:-sid}" extract golang-go)
  root_install "${recipe[@]}"
  for program in "$(root_path "${recipe[@]}")"/usr/lib/go-*/bin/go; do
    [[ -x $program ]] && printf '%s\n' "$program" && return
  done
  die "the package golang-go of Debian ${TESTBED_GO_SUITE:-sid} has no go program" \
    "put Go 1.26 or newer on PATH"
}

version_at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }
