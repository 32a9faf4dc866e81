# shellcheck shell=bash
# shellcheck disable=SC2154 # engine and outside are e2e_site.sh's
# Further steps of tests/tutor/e2e, on a site that is as before.txt says.

# The display is drawn five times a second: the media have to take longer than that, on any machine.
use_a_terminal() {
  local before large
  large=$outside/root/data/$(site_media | tail -n 1)/large.bin
  # The folder's time is part of the site.
  touch -r "$(dirname "$large")" "$outside/time"
  head -c 96M /dev/urandom >"$large"
  before=$(site_archives)
  typing 0 site_tutor local backup --only media
  shown '█.*MB of'
  shown 'Complete'
  [[ $(site_archives | wc -l) == $(($(wc -l <<<"$before") + 1)) ]] || fail "no archive was made"
  before=$(site_archives)
  typing 'so far' ^C 130 site_tutor local backup
  shown 'Nothing was written'
  [[ $(site_archives) == "$before" ]] || fail "there is $(site_archives | tr '\n' ' ')"
  rm "$large"
  touch -r "$outside/time" "$(dirname "$large")"
  typing 'Go on\?' ^C 130 site_tutor local restore
  shown 'Nothing live was changed'
  typing 'Go on\?' n 130 site_tutor local restore
  site_is_as_before
  site_destroy
  typing 'Go on\?' y 0 site_tutor local restore
  site_is_as_before
}

# kill_when FILE SERVICE: kills the first process of the service's container as soon as the file is there.
kill_when() {
  $engine run python3 -c '
import os, subprocess, sys
def docker(*words): return subprocess.check_output(["docker", *words], text=True).strip()
while not (found := docker("ps", "-q", "--filter", "label=com.docker.compose.service=" + sys.argv[2])): pass
process = int(docker("inspect", "-f", "{{.State.Pid}}", found))
while not os.path.exists(sys.argv[1]): pass
os.kill(process, 9)' "$@"
}

# All components have a record then, and none is wholly swapped.
finish_killed_restore() {
  local status=0 killer before
  site_destroy
  kill_when "$site/root/data/$(site_media | tail -n 1)/.openedx-backup/record.json" \
    backup-restore-job &
  killer=$!
  site_tutor local restore --yes || status=$?
  wait "$killer"
  ((status == 137)) || fail "the restore ended with status $status, not 137"
  before=$(site_archives)
  refuses 'was interrupted, and cannot be' site_tutor local backup
  refuses 'tutor local restore finishes it' site_tutor local backup --only caddy
  [[ $(site_archives) == "$before" ]] || fail "there is $(site_archives | tr '\n' ' ')"
  typing 'Go on\?' n 130 site_tutor local restore
  shown 'was finished'
  site_is_as_before
}

# A second backup of a day is a further version of the same name.
use_a_bucket() {
  local before version
  site_bucket
  before=$(site_archives)
  site_tutor local backup --upload --only media --name backup.2026-01-02
  site_tutor local backup --upload --only caddy
  site_tutor local backup --upload
  [[ $(site_archives) == "$before" ]] || fail "there is $(site_archives | tr '\n' ' ')"
  remote_archives_are 2
  site_tutor local restore --list-versions | tee "$outside/versions"
  version=$(sed -n 's/^ *version //p' "$outside/versions" | sed -n 2p)
  site_tutor local backups inspect --version "$version" | tee "$outside/inspected"
  grep -q caddy "$outside/inspected" || fail "this is not the second newest version"
  site_tutor local backups prune --remote --keep-last 1 --yes
  remote_archives_are 1
  site_destroy
  site_tutor local restore --download --yes
  site_is_as_before
}

remote_archives_are() {
  local listed
  listed=$(site_tutor local backups list --remote)
  printf '%s\n' "$listed"
  [[ $(grep -c '\.tar\.' <<<"$listed") == "$1" ]] || fail "not $1 archives are in the bucket"
}
