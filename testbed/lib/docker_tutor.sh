# shellcheck shell=bash
# Tutor releases, each in a Python environment of its own below /mnt/tutor of the engine's namespaces.

# The machine's own Python: one below root's home, as pyenv's, could not be run by an ordinary user.
TUTOR_PYTHON=${TESTBED_PYTHON:-/usr/bin/python3}

# What a release needs beside itself: the lines "RELEASE PACKAGE…" of the table of releases.
tutor_pins() {
  awk -v release="$1" '$1 == release { for (i = 2; i <= NF; i++) print $i }' \
    "$TESTBED/../tests/tutor/releases"
}

tutor_folder() {
  printf 'tutor/%s-%s\n' "$1" "$({ tutor_pins "$1" && "$TUTOR_PYTHON" -VV; } | short_hash)"
}

# docker_tutor VERSION: makes the environment once and prints where it lies, as seen from inside.
docker_tutor() {
  grep -Eq "^${1:-none}( |$)" "$TESTBED/../tests/tutor/releases" ||
    die "'${1:-}' is no known release of Tutor" "tests/tutor/releases lists them"
  with_lock "tutor-$1" tutor_install_locked "$1"
  printf '/mnt/%s\n' "$(tutor_folder "$1")"
}

tutor_install_locked() {
  local folder pins PIP_CACHE_DIR=$CACHE/tutor/pip log=$DOCKER/tutor-$1.log
  folder=$(tutor_folder "$1")
  mapfile -t pins < <(tutor_pins "$1")
  [[ ! -e $DOCKER_INSIDE/$folder/complete ]] || return 0
  "$TUTOR_PYTHON" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
  say "docker: installing Tutor $1"
  rm -rf "${DOCKER_INSIDE:?}/$folder"
  export PIP_CACHE_DIR
  # The scripts in it name their Python by its path: it has to be made where it will be used.
  if ! (docker_run_inside "$TUTOR_PYTHON" -m venv "/mnt/$folder") >"$log" 2>&1 ||
    ! (docker_run_inside "/mnt/$folder/bin/pip" install --quiet hatchling "tutor==$1" \
      "${pins[@]}") >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "Tutor $1 cannot be installed on $("$TUTOR_PYTHON" -V)" \
      "the log is $log; TESTBED_PYTHON names another Python, which all users can run"
  fi
  touch "$DOCKER_INSIDE/$folder/complete"
}
