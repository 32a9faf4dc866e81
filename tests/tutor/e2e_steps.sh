# shellcheck shell=bash
# shellcheck disable=SC2154 # logs, release and outside are those of who sources this
# How an end-to-end test of the plugin runs its steps and counts them, for tests/tutor/e2e and k8s-e2e.
# They set `logs` (a folder) and `release` (of Tutor), and define testbed_down and show_servers (their logs).

passed=0 failed=0 broken=no

# steps_finish NAME: as the trap of EXIT.
steps_finish() {
  local status=$?
  trap - EXIT
  testbed_down || status=1
  ((status == 0 || failed > 0)) || failed=1
  printf '\ntests/tutor/%s: %d passed, %d failed in %d s; logs: %s\n' \
    "$1" "$passed" "$failed" "$SECONDS" "$logs"
  exit $((failed > 0))
}

# steps_begin NAME
steps_begin() {
  # shellcheck disable=SC2064 # the name is known now
  trap "steps_finish '$1'" EXIT
  trap 'exit 1' INT TERM HUP
  rm -rf "$logs"
  mkdir -p "$logs"
}

# step NAME FUNCTION ARGUMENT…: the function stops at its first error. (So a step must not stand in a
# condition: bash would ignore errors in it.) What follows a failed step would only fail for the same
# reason: a release ends there.
step() {
  [[ $broken == no ]] || return 0
  local name=$1 log status began=$SECONDS
  shift
  log=$logs/$release-$(printf '%02d' $((passed + failed)))-${1//_/-}.log
  # In the background, since bash hears signals only while it waits. No terminal, no input.
  (
    set -e
    "$@"
  ) >"$log" 2>&1 </dev/null &
  status=0
  wait $! || status=$?
  if ((status == 0)); then
    passed=$((passed + 1))
    printf 'ok      %-7s %s (%d s)\n' "$release" "$name" $((SECONDS - began))
    return 0
  fi
  failed=$((failed + 1)) broken=yes
  printf 'FAILED  %-7s %s (%d s): status %d, the end of %s:\n' \
    "$release" "$name" $((SECONDS - began)) "$status" "$log"
  tail -n 40 "$log" | sed 's/^/    /'
  show_servers >"$log.servers" 2>&1 || true
}

fail() {
  echo "check failed: $*" >&2
  exit 1
}

# refuses TEXT COMMAND…: the command fails, and says TEXT (a regular expression).
refuses() {
  local text=$1 output status=0
  shift
  output=$("$@" 2>&1 </dev/null) || status=$?
  printf '%s\n' "$output"
  ((status != 0)) || fail "'$*' succeeded"
  grep -Eq -- "$text" <<<"$output" || fail "'$*' does not say '$text'"
}

# typing PATTERN TEXT… STATUS COMMAND…: the command on a terminal; what that got is in $outside/screen.
typing() {
  local typed=() terminal status=0
  until [[ $1 =~ ^[0-9]+$ ]]; do
    typed+=("$1" "$2")
    shift 2
  done
  # shellcheck disable=SC2034 # site_tutor reads it
  terminal=(env TERM=xterm-256color tests/tutor/terminal "${typed[@]}" --)
  "${@:2}" >"$outside/screen" || status=$?
  cat "$outside/screen"
  ((status == $1)) || fail "'${*:2}' ended with status $status, not $1"
}
shown() { grep -aEq -- "$1" "$outside/screen" || fail "the terminal did not show '$1'"; }

# site_is_as_in FILE: a fingerprint in $outside.
site_is_as_in() {
  site_fingerprint >"$outside/after.txt"
  diff "$outside/$1" "$outside/after.txt"
}
site_is_as_before() { site_is_as_in before.txt; }

# destroy_all_of FILE: nothing of what that fingerprint has is left.
destroy_all_of() {
  local left
  site_destroy
  site_fingerprint >"$outside/destroyed.txt"
  # The folders themselves stay, with a new time.
  left=$(comm -12 <(sort "$outside/$1") <(sort "$outside/destroyed.txt"))
  [[ -z $left ]] || fail "this is left: $left"
}
