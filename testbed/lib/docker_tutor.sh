# shellcheck shell=bash
# Tutor releases, each in a Python environment of its own below /mnt/tutor of the engine's namespaces.

# The machine's own Python: one below root's home, as pyenv's, could not be run by an ordinary user.
TUTOR_PYTHON=${TESTBED_PYTHON:-/usr/bin/python3}

# What a release does not say itself.
tutor_pins() {
  case $1 in
    13.* | 14.* | 15.* | 16.*) printf 'setuptools<82\n' ;;
    20.* | 21.*) printf 'click<8.3\n' ;;
    22.*) printf 'click>=8.4\n' ;;
  esac
}

tutor_folder() {
  printf 'tutor/%s-%s\n' "$1" "$({ tutor_pins "$1" && "$TUTOR_PYTHON" -VV; } | short_hash)"
}

# docker_tutor VERSION: makes the environment once and prints where it lies, as seen from inside.
docker_tutor() {
  [[ ${1:-} =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "'${1:-}' is no release of Tutor" "say 22.0.3"
  with_lock "tutor-$1" tutor_install_locked "$1"
  printf '/mnt/%s\n' "$(tutor_folder "$1")"
}

tutor_install_locked() {
  local folder pins log=$DOCKER/tutor-$1.log
  folder=$(tutor_folder "$1")
  mapfile -t pins < <(tutor_pins "$1")
  [[ ! -e $DOCKER_INSIDE/$folder/complete ]] || return 0
  "$TUTOR_PYTHON" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
  say "docker: installing Tutor $1"
  rm -rf "${DOCKER_INSIDE:?}/$folder"
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
