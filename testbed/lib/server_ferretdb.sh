# shellcheck shell=bash
# FerretDB 2 on PostgreSQL with the DocumentDB extension: the MongoDB protocol with nearly all types
# and indexes, users, sessions. PostgreSQL refuses to run as root and finds its files by fixed
# paths, so it runs in a chroot, under the root's user `postgres`. The run folder is bound to /srv
# there in a mount namespace of its own, which ends with the process: no mount is left over.

FERRETDB_PACKAGES=(postgresql-18 postgresql-18-documentdb)

ferretdb_port() { printf '%s\n' "${TESTBED_PORT_FERRETDB:-$(default_port 23963)}"; }
ferretdb_postgres_port() {
  printf '%s\n' "${TESTBED_PORT_FERRETDB_POSTGRES:-$(default_port 23964)}"
}
ferretdb_root() { root_path postgres sid minbase "${FERRETDB_PACKAGES[@]}"; }
ferretdb_program() { printf '%s/ferretdb\n' "$(go_path ferretdb)"; }

ferretdb_install() {
  root_install postgres sid minbase "${FERRETDB_PACKAGES[@]}"
  go_install ferretdb ferretdb_build
}

ferretdb_build() {
  go_build ferretdb github.com/FerretDB/FerretDB/v2/cmd/ferretdb "$1/ferretdb"
}

# postgres_chroot FOLDER PROGRAM ARGUMENT…: puts the command into postgres_argv; FOLDER is /srv.
postgres_chroot() {
  local root program=$2
  root=$(ferretdb_root)
  # shellcheck disable=SC2016 # for the inner shell
  postgres_argv=(unshare --mount bash -c
    'mount --bind "$1" "$2/srv" && exec chroot --userspec=postgres:postgres "$2" "${@:3}"'
    postgres "$1" "$root" "/usr/lib/postgresql/18/bin/$program" "${@:3}")
}

ferretdb_template_key() { printf '%s %s 2' "$(ferretdb_root)" "$PASSWORD"; }

# `trust`: DocumentDB's background connects to its own server as whoever issued the command, without
# a password. So any local user may reach this PostgreSQL; FerretDB itself still asks for passwords.
ferretdb_template() {
  local log=$1/initialize.log postgres_argv
  postgres_chroot "$1" initdb -D /srv/data -U postgres -E UTF8 --locale=C.UTF-8 -A trust --no-sync
  mkdir "$1/data" "$1/socket"
  chroot "$(ferretdb_root)" id -u postgres >"$1/uid"
  chown "$(<"$1/uid")" "$1/data" "$1/socket"
  "${postgres_argv[@]}" >"$log" 2>&1 || ferretdb_template_failed "$log"
  cat >>"$1/data/postgresql.conf" <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb'
cron.database_name = 'postgres'
documentdb.enableUserCrud = true
documentdb_core.enableCollation = on
max_connections = 200
fsync = off
full_page_writes = off
CONF
  ferretdb_template_fill "$1" "$log"
}

ferretdb_template_failed() {
  tail -n 30 "$1" >&2
  die "PostgreSQL could not make its data folder"
}

# The extension and the real user are made by SQL: PostgreSQL's own roles have a salt of a length
# that libmongoc refuses, the ones made by create_user have the right one.
ferretdb_template_fill() {
  local folder=$1 log=$2 postgres_argv user
  user=$(printf '{"createUser":"root","pwd":"%s","roles":[%s,%s]}' "$(json_text "$PASSWORD")" \
    '{"role":"clusterAdmin","db":"admin"}' '{"role":"readWriteAnyDatabase","db":"admin"}')
  postgres_chroot "$folder" pg_ctl -D /srv/data -w -t 60 -l /srv/data/first.log \
    -o "-c listen_addresses= -c unix_socket_directories=/srv/socket" start
  "${postgres_argv[@]}" >>"$log" 2>&1 || ferretdb_template_failed "$log"
  postgres_chroot "$folder" psql -h /srv/socket -U postgres -v ON_ERROR_STOP=1 -v spec="$user"
  if ! "${postgres_argv[@]}" >>"$log" 2>&1 <<'SQL'; then
CREATE EXTENSION documentdb CASCADE;
SELECT documentdb_api.create_user(:'spec');
SQL
    postgres_chroot "$folder" pg_ctl -D /srv/data -m immediate stop
    "${postgres_argv[@]}" >>"$log" 2>&1 || true
    ferretdb_template_failed "$log"
  fi
  postgres_chroot "$folder" pg_ctl -D /srv/data -w -m fast stop
  "${postgres_argv[@]}" >>"$log" 2>&1 || ferretdb_template_failed "$log"
  rm -rf "$folder/socket" "$folder/data/first.log"
}

# The setting testbed.run means nothing to PostgreSQL: it marks the process as ours.
ferretdb_launch() {
  local postgres_argv port
  port=$(ferretdb_postgres_port)
  ! port_is_taken "$port" ||
    die "ferretdb: port $port of 127.0.0.1, for its PostgreSQL, is in use" \
    "stop that process, or choose another port by TESTBED_PORT_FERRETDB_POSTGRES"
  # After a kill -9 the old server's number may by now be another process's.
  rm -f "$RUN/ferretdb/data/postmaster.pid"
  postgres_chroot "$RUN/ferretdb" postgres -D /srv/data -p "$port" -c "testbed.run=$RUN/ferretdb"
  spawn ferretdb postgres "${postgres_argv[@]}"
  mkdir -p "$RUN/ferretdb/state"
  await_postgres
  DO_NOT_TRACK=1 spawn ferretdb ferretdb "$(ferretdb_program)" \
    --postgresql-url="postgres://postgres@127.0.0.1:$port/postgres" \
    --listen-addr="127.0.0.1:$(ferretdb_port)" --telemetry=disable --debug-addr=- \
    --state-dir="$RUN/ferretdb/state" --log-level=warn
}

# FerretDB gives up when PostgreSQL is not there yet.
await_postgres() {
  local deadline=$((SECONDS + 60)) root_argv
  root_command "$(ferretdb_root)" usr/lib/postgresql/18/bin/pg_isready
  until "${root_argv[@]}" -q -h 127.0.0.1 -p "$(ferretdb_postgres_port)"; do
    if ! running_pid ferretdb postgres >/dev/null || ((SECONDS >= deadline)); then
      show_logs ferretdb
      die "ferretdb: its PostgreSQL does not answer"
    fi
    sleep 0.1
  done
}

ferretdb_ready() { port_is_taken "$(ferretdb_port)"; }

ferretdb_stop() {
  stop_process ferretdb ferretdb TERM 20
  stop_process ferretdb postgres INT 60
}

ferretdb_env() {
  export_line TESTBED_FERRETDB_HOST 127.0.0.1
  export_line TESTBED_FERRETDB_PORT "$(ferretdb_port)"
  export_line TESTBED_FERRETDB_USER root
  export_line TESTBED_FERRETDB_PASSWORD "$PASSWORD"
  export_line TESTBED_FERRETDB_AUTH_DB admin
  export_line TESTBED_FERRETDB_URI \
    "mongodb://root:$(uri_text "$PASSWORD")@127.0.0.1:$(ferretdb_port)/?authSource=admin"
}

json_text() {
  local text=${1//\\/\\\\}
  printf '%s' "${text//\"/\\\"}"
}

# Percent-encodes all but letters and digits of an ASCII text.
uri_text() {
  local index character
  for ((index = 0; index < ${#1}; index++)); do
    character=${1:index:1}
    case $character in
      [a-zA-Z0-9]) printf '%s' "$character" ;;
      *) printf '%%%02X' "'$character" ;;
    esac
  done
}
