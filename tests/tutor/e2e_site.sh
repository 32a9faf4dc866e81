# shellcheck shell=bash
# A site of Tutor's in real containers, for tests/tutor/e2e and scripts/demo-tutor, and what it has in
# common with one in a cluster (k8s_site.sh). Source it from the repository's folder after
# scripts/lib/cache.sh.
#
# Everything runs on the testbed's own Docker engine, below /mnt of its namespaces, and Tutor as an
# ordinary user: what belongs to whom afterwards is part of what is tested.

engine=testbed/docker/engine
# Where Tutor runs and the servers have their addresses: by `run` and `run-as-user` of this.
place=$engine
# The site, as seen from inside and from outside.
site=/mnt/site
outside=$CACHE/docker/inside/site
# Tutor's release, and the program of testbed/generator: to be set by whoever sources this.
release='' generator=''

# A password that breaks whatever passes it through a shell, a URI or SQL unquoted, as far as Tutor's own
# templates can bear it.
site_password="it's p@ss%w:rd;&"

site_major() { printf '%s\n' "${release%%.*}"; }

# site_build_generator: prints where it is.
site_build_generator() {
  local log=$CACHE/docker/generator.log
  if [[ -n ${SITE_GENERATOR:-} ]]; then
    readlink -f "$SITE_GENERATOR"
    return
  fi
  if ! { cmake -S testbed/generator -B build/generator -G Ninja -DCMAKE_BUILD_TYPE=Release &&
    cmake --build build/generator; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "error: the site generator cannot be built; the log is $log" >&2
    return 1
  fi
  readlink -f build/generator/site-generator
}

# The engine and its images, for any number of sites. One at a time on a machine.
site_testbed_up() {
  mkdir -p "$CACHE/locks"
  exec 8>"$CACHE/locks/tutor-site"
  if ! flock -n 8; then
    echo "waiting for another test or demo that uses the testbed's Docker engine" >&2
    flock 8
  fi
  # A run that was killed may have left its site.
  $engine down 8>&-
  $engine up 8>&-
  eval "$($engine env)"
  $engine images 8>&-
  testbed/testbed install tools 8>&-
  TESTBED_BIN=$CACHE/bin
}

# Ends every container with the engine. Sites and their data go away; images stay.
site_testbed_down() {
  $engine down
  rm -rf "$outside"
}

# site_new: an empty site of $release with the plugin as it is installed from a wheel of this
# repository.
site_new() {
  local before
  $engine tutor "$release" >/dev/null
  before=$(docker ps -aq)
  # shellcheck disable=SC2086 # a list
  [[ -z $before ]] || docker rm -f -v $before
  rm -rf "$outside"
  install -d -m 755 -o 21000 -g 21000 "$outside" "$outside"/{root,plugins,home}
  $engine run "$(site_python)/pip" wheel --quiet --no-deps --no-build-isolation \
    --wheel-dir "$site/wheel" "$PWD"
  $engine run sh -c "'$(site_python)/pip' install --quiet --no-deps --force-reinstall $site/wheel/*.whl"
  # Caddy shall sign its certificates itself: Let's Encrypt knows nothing of this machine.
  cat >"$outside/plugins/testbed.yml" <<'YAML'
name: testbed
version: 1.0.0
patches:
  caddyfile-global: |
    local_certs
    skip_install_trust
YAML
}

# The folder of programs of the release's Python environment.
site_python() { printf '%s/bin\n' "$($engine tutor "$release")"; }

# site_tutor ARGUMENT…: Tutor, as its user runs it, in the folder `root` of the site's; with a terminal where
# `terminal` has the command that gives it one.
terminal=() root=root
site_tutor() {
  "${terminal[@]}" $place run-as-user TUTOR_ROOT="$site/$root" TUTOR_PLUGINS_ROOT="$site/plugins" \
    HOME="$site/home" TERM="${TERM:-dumb}" "$(site_python)/tutor" "$@"
}

site_configure() {
  local settings=(LMS_HOST=lms.test CMS_HOST=studio.lms.test ENABLE_HTTPS=true ENABLE_WEB_PROXY=true
    "MYSQL_ROOT_PASSWORD=$site_password") name arguments=()
  for name in mysql mongodb caddy permissions; do
    settings+=("DOCKER_IMAGE_${name^^}=$($engine image "$name")")
  done
  for name in "${settings[@]}"; do arguments+=(--set "$name"); done
  site_tutor config save "${arguments[@]}"
  site_tutor plugins enable testbed backup
  site_tutor config save
}

# Up to 15 each service has one of its own that sets its folder's owner, and mysql names none.
site_start() {
  local permissions=(permissions)
  (($(site_major) >= 16)) || permissions=(mysql-permissions mongodb-permissions)
  site_tutor local start -d "${permissions[@]}" mysql mongodb caddy
  site_await "MySQL" site_mysql_answers
  site_await "MongoDB" site_mongodb_answers
  site_await "Caddy's certificates" site_caddy_is_settled
}

site_container() {
  docker ps -q --filter "label=com.docker.compose.service=$1"
}

site_address() {
  docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(site_container "$1")"
}

# site_await WHAT COMMAND…
site_await() {
  local what=$1 deadline=$((SECONDS + 120))
  shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      site_container_logs >&2
      echo "error: $what did not come up in 120 s; the containers' logs are above" >&2
      return 1
    fi
    sleep 0.2
  done
}

site_container_logs() {
  local container
  docker ps -a
  for container in $(docker ps -aq); do
    docker inspect -f '--- {{.Name}}' "$container"
    docker logs --tail 40 "$container" 2>&1
  done
}

site_mysql() {
  MYSQL_PWD=$site_password $place run "$TESTBED_BIN/$1" --no-defaults \
    --host="$(site_address mysql)" --user=root "${@:2}"
}
site_mysql_answers() { site_mysql mysql -e 'SELECT 1'; }

site_mongodb_answers() {
  $place run "$TESTBED_BIN/mongo-command" "mongodb://$(site_address mongodb)" admin '{"ping": 1}'
}

site_caddy_is_settled() {
  site_caddy_has_settled "$outside/root/data/caddy" < <(docker logs "$(site_container caddy)" 2>&1)
}

# site_caddy_has_settled DATA: from its log on the standard input. It says there which names it manages; each
# has a certificate then, and nobody writes any more.
site_caddy_has_settled() {
  local name names
  names=$(sed -n 's/.*enabling automatic TLS certificate management.*"domains": *\[\([^]]*\)\].*/\1/p' |
    tr -d '" ' | tr ',' ' ')
  [[ -n $names ]] || return 1
  for name in $names; do
    [[ -s $1/caddy/certificates/local/$name/$name.json ]] || return 1
  done
  [[ -z $(ls "$1/caddy/locks" 2>/dev/null) ]]
}

# site_generator COMMAND ARGUMENT…: the independent witness, on the site's servers and Caddy's folder.
site_generator() {
  MYSQL_PASSWORD=$site_password $place run "$generator" "$1" --mysql-host "$(site_address mysql)" \
    --mongodb-uri "mongodb://$(site_address mongodb)/" "${@:2}"
}

site_media() {
  local names=(openedx-media)
  (($(site_major) < 19)) || names+=(openedx-media-private)
  printf '%s\n' "${names[@]}"
}

# site_fill SIZE: Caddy has written its own data already. The generator makes both media folders below
# one folder, which in Tutor's is full of other things.
site_fill() {
  local name
  site_generator fill --size "$1"
  "$generator" fill --size "$1" --media "$outside/filled"
  for name in $(site_media); do
    mkdir -p "$outside/root/data/$name"
    cp -a "$outside/filled/$name/." "$outside/root/data/$name/"
  done
  rm -rf "$outside/filled"
}

site_fingerprint() {
  local name
  {
    site_generator fingerprint --caddy "$outside/root/data/caddy"
    for name in $(site_media); do
      "$generator" fingerprint --media "$outside/root/data/$name" | sed "s/^media /$name /"
    done
  } | site_without_notes
}

# Without what a restore notes about itself beside the data.
site_without_notes() {
  sed -E '/^mysql [a-z]+ openedx_backup /d; /^[a-z-]+ \.openedx-backup-applied /d'
}

site_destroy() {
  local name
  site_generator destroy --caddy "$outside/root/data/caddy"
  for name in $(site_media); do "$generator" destroy --media "$outside/root/data/$name"; done
}

# site_predecessors_archive DATE: an archive as the predecessor made it, by its own means.
site_predecessors_archive() {
  local data=$outside/predecessors/data
  mkdir -p "$data"
  site_mysql mysqldump --all-databases --add-drop-database --routines --events --single-transaction \
    >"$data/mysql_dump.sql"
  $engine run "$TESTBED_BIN/mongodump" --quiet --uri "mongodb://$(site_address mongodb)/" \
    --out "$data/mongodb_dump"
  cp -a "$outside/root/data/caddy" "$data/caddy"
  python3 -c 'import sys, tarfile
with tarfile.open(sys.argv[1], "w:xz", preset=1) as tar: tar.add(sys.argv[2], "data")' \
    "$outside/root/env/backup/backup.$1.tar.xz" "$data"
  rm -rf "$outside/predecessors"
}

# The archives that are there, and nothing else that may lie beside them.
site_archives() {
  find "$outside/root/env/backup" -maxdepth 1 -name '*.tar.*' -printf '%f\n' 2>/dev/null | sort
}

# site_bucket: an S3 server beside the site's, with an empty bucket that keeps versions, as the settings
# of the site name it.
site_bucket() {
  local network
  $engine images minio
  network=$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' \
    "$(site_container mysql)")
  docker run -d --label com.docker.compose.service=minio --network "$network" \
    --network-alias minio -e MINIO_ROOT_PASSWORD="$site_password" "$($engine image minio)"
  site_await "MinIO" site_bucket_is_made
  site_configure_bucket
}
site_configure_bucket() {
  site_tutor config save --set BACKUP_S3_HOST=minio --set BACKUP_S3_PORT=9000 \
    --set BACKUP_S3_USE_SSL=false --set BACKUP_S3_ACCESS_KEY=testbed \
    --set "BACKUP_S3_SECRET_ACCESS_KEY=$site_password" --set BACKUP_S3_BUCKET_NAME=campus
}
site_bucket_is_made() {
  AWS_ACCESS_KEY_ID=testbed AWS_SECRET_ACCESS_KEY=$site_password $place run \
    "$TESTBED_BIN/s3-command" "http://$(site_address minio):9000" bucket campus versioned
}
