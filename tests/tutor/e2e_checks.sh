# shellcheck shell=bash
# shellcheck disable=SC2154 # engine and outside are e2e_site.sh's
# The steps of tests/tutor/e2e. Each runs in a shell of its own that ends at the first error.

site_up() {
  site_new
  site_configure
  site_start
}

fill_site() {
  site_fill 20M
  site_fingerprint >"$outside/before.txt"
  wc -l "$outside/before.txt"
}

refuses_without_image() {
  local image
  image=$(site_tutor config printvalue BACKUP_DOCKER_IMAGE)
  docker image rm -f "$image" >/dev/null 2>&1 || true
  refuses 'tutor images build backup' site_tutor local backup
  [[ -z $(site_archives) ]] || fail "there is an archive: $(site_archives)"
}

refuses_old_base() {
  local began=$SECONDS
  site_tutor config save --set "BACKUP_BASE_IMAGE=$($engine image debian-bullseye)"
  refuses 'Debian 12 or newer' site_tutor images build backup
  ((SECONDS - began < 20)) || fail "it took $((SECONDS - began)) s to refuse"
}

build_image() {
  local image size
  site_tutor config save --set "BACKUP_BASE_IMAGE=$1"
  site_tutor images build backup
  image=$(site_tutor config printvalue BACKUP_DOCKER_IMAGE)
  docker run --rm "$image" openedx-backup version
  docker run --rm "$image" cat /etc/os-release
  size=$(docker image inspect -f '{{.Size}}' "$image")
  echo "size of the image on $1: $size"
  ((size < 150000000)) || fail "the image has $size bytes, 150 MB or more"
}

refuses_without_backup() {
  refuses '[Nn]o .*(backup|archive)' site_tutor local restore --yes
}

backup_site() {
  local name path dates
  dates="$(date +%F)"
  site_tutor local backup
  name=$(site_archives)
  path=$outside/root/env/backup/$name
  # It may have been midnight.
  [[ $name == "backup.$dates.tar.xz" || $name == "backup.$(date +%F).tar.xz" ]] ||
    fail "the archive's name is '$name'"
  [[ $(stat -c %u:%g "$path") == 21000:21000 ]] || fail "it belongs to $(stat -c %u:%g "$path")"
  xz --test "$path" || fail "it is no xz"
  site_tutor local backups list
  site_tutor local backups verify
}

refuses_without_yes() {
  refuses '--yes' site_tutor local restore
  site_is_as_before
}

restore_site() {
  site_tutor local restore --yes
  site_is_as_before
}

backup_again() {
  local first before
  first=$(site_archives)
  before=$(sha256sum "$outside/root/env/backup/$first")
  site_tutor local backup --only caddy
  [[ $(site_archives | wc -l) == 2 ]] || fail "there are $(site_archives | tr '\n' ' ')"
  [[ $(site_archives) =~ backup\.[0-9-]+\.[0-9]{6}\.tar\.xz ]] || fail "names: $(site_archives)"
  [[ $(sha256sum "$outside/root/env/backup/$first") == "$before" ]] || fail "$first was changed"
}

# What the predecessor never had stays as it is: media. The engine's status 3 is "done, with warnings":
# the accounts in the dump of another server are not taken over.
restore_predecessors() {
  local status=0
  site_predecessors_archive 2024-03-01
  site_generator destroy --caddy "$outside/root/data/caddy"
  site_tutor local restore --date 2024-03-01 --yes || status=$?
  ((status == 3)) || fail "status $status, not 3"
  site_fingerprint >"$outside/after.txt"
  diff <(as_the_predecessor_keeps_it "$outside/before.txt") \
    <(as_the_predecessor_keeps_it "$outside/after.txt")
}

# mysqldump rounds FLOAT, which the table `numbers` of the odd database holds; Python's tarfile writes
# times as floating point numbers, too.
as_the_predecessor_keeps_it() {
  sed -E '/^mysql rows .* numbers /d; /^caddy /s/(time=[0-9]+)\.[0-9]+/\1/' "$1"
}
