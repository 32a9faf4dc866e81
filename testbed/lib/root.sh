# shellcheck shell=bash
# Debian roots in folders: servers of another Debian release than the machine's, without touching
# the machine's own packages.

# The mirror that this machine's apt uses for Debian; none on another distribution, where
# mmdebstrap's own default serves.
debian_mirror() {
  if [[ -n ${TESTBED_DEBIAN_MIRROR:-} ]]; then
    printf '%s\n' "$TESTBED_DEBIAN_MIRROR"
    return
  fi
  # shellcheck disable=SC2016 # fields of apt's
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 2>/dev/null |
    sed -n 's/^Debian|Debian|//p' | head -n 1
}

# root_path NAME SUITE VARIANT PACKAGE…: where such a root lies. The name changes with the recipe.
root_path() {
  printf '%s/roots/%s-%s-%s\n' "$CACHE" "$1" "$2" "$(printf '%s ' "${@:2}" | short_hash)"
}

# root_install NAME SUITE VARIANT PACKAGE…: makes the root once. VARIANT `extract` unpacks only
# (seconds; enough for programs run through root_command), `minbase` configures (for chroot).
root_install() { with_lock "root-$1" root_install_locked "$@"; }

root_install_locked() {
  local path
  path=$(root_path "$@")
  [[ ! -d $path ]] || return 0
  require_root
  need mmdebstrap mmdebstrap
  [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || apt_install debian-archive-keyring
  build_into "$path" root_build "$@"
}

root_build() {
  local name=$1 suite=$2 variant=$3 target=${!#} log=$CACHE/root-$1.log
  local packages=("${@:4:$#-4}") mirror
  mirror=$(debian_mirror)
  say "building the root '$name' of Debian $suite: ${packages[*]}"
  # A mirror of a moving suite may lag behind its Valid-Until date.
  if ! mmdebstrap --variant="$variant" --aptopt='Acquire::Check-Valid-Until "false"' \
    --include="$(IFS=, && printf '%s' "${packages[*]}")" \
    "$suite" "$target" ${mirror:+"$mirror"} >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "mmdebstrap could not build the root '$name' of Debian $suite" \
      "the log is $log; TESTBED_DEBIAN_MIRROR names another mirror"
  fi
}

# root_command ROOT PROGRAM: puts into the array root_argv what runs a program of the root by the
# root's own loader and libraries: no chroot, no mounts, and all of the machine's files visible.
root_command() {
  local libraries loader
  libraries=$(root_libraries "$1")
  loader=$(root_loader "$1")
  root_argv=("$loader" --library-path "$libraries" "$1/$2")
}

# root_wrapper ROOT PROGRAM FILE: a script that runs it in that way. libmariadb loads its ways to log
# in, caching_sha2_password among them, from a fixed path unless it is told another.
root_wrapper() {
  local root=$1 program=$2 file=$3 libraries plugins
  [[ -x $root/$program ]] || die "the root $root has no $program" "add its package to the recipe"
  libraries=$(root_libraries "$root")
  plugins=$(compgen -G "$root/usr/lib/*-linux-gnu/libmariadb3/plugin" || true)
  mkdir -p "$(dirname "$file")"
  # shellcheck disable=SC2016 # the quotes are for the script
  cat >"$file.new" <<WRAPPER
#!/bin/sh
${plugins:+export MARIADB_PLUGIN_DIR='$plugins'}
exec '$(root_loader "$root")' --library-path '$libraries' '$root/$program' "\$@"
WRAPPER
  chmod 755 "$file.new"
  mv "$file.new" "$file"
}

# An `extract` root of an older suite has /lib beside /usr/lib.
root_loader() {
  local loader
  for loader in "$1"/usr/lib/*-linux-gnu/ld-linux*.so.* "$1"/lib/*-linux-gnu/ld-linux*.so.*; do
    [[ ! -f $loader ]] || { printf '%s\n' "$loader" && return; }
  done
  die "no dynamic loader in the root $1" "remove the folder and install again"
}

root_libraries() {
  local folder joined=
  for folder in "$1"/usr/lib/*-linux-gnu "$1"/lib/*-linux-gnu "$1"/usr/lib; do
    [[ ! -d $folder ]] || joined+=${joined:+:}$folder
  done
  printf '%s\n' "$joined"
}
