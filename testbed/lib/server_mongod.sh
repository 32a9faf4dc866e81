# shellcheck shell=bash
# A real mongod, where $MONGOD or PATH has one: `mongod` is a standalone server as Tutor runs it,
# `mongod-rs` a replica set of one member, with an oplog. Both ask for passwords.
# TESTBED_MONGOD_NOJOURNAL=1 starts `mongod` without a journal, as Tutor 13 to 17 do.

mongod_program() { command -v "${MONGOD:-mongod}"; }
mongod_port() { printf '%s\n' "${TESTBED_PORT_MONGOD:-$(default_port 23966)}"; }
mongod_rs_port() { printf '%s\n' "${TESTBED_PORT_MONGOD_RS:-$(default_port 23967)}"; }

mongod_install() {
  mongod_program >/dev/null || die "there is no mongod: no package registry has one" \
    "name one by MONGOD=/path/to/mongod, or use ferretdb"
  tools_install_mongo
}
mongod_rs_install() { mongod_install; }

# The port stands in a replica set's own configuration.
mongod_template_key() { printf '%s %s 1' "$("$(mongod_program)" --version)" "$PASSWORD"; }
mongod_rs_template_key() { printf '%s %s' "$(mongod_template_key)" "$(mongod_rs_port)"; }

mongod_template() { mongod_make_template "$1" "$(mongod_port)"; }
mongod_rs_template() {
  mkdir "$1/data"
  # Members of a set that asks for passwords must share a key, even a single one.
  (umask 077 && printf 'testbed%s\n' "$(short_hash <<<"$PASSWORD")" >"$1/data/keyfile")
  mongod_make_template "$1" "$(mongod_rs_port)" --replSet rs0 --keyFile "$1/data/keyfile"
}

# mongod_make_template FOLDER PORT OPTION…: the first user can be made without a password, from the
# same machine. A set must be initiated before.
mongod_make_template() {
  local folder=$1 port=$2 log=$1/first.log uri user pid status=0
  uri=$(mongod_direct_uri "$port")
  mkdir -p "$folder/data"
  ! port_is_taken "$port" || die "port $port is in use" "stop that process, or choose another port"
  mongod_command "$folder/data" "$port" "${@:3}"
  "${mongod_argv[@]}" >"$log" 2>&1 9>&- &
  pid=$!
  mongod_await "$pid" "$port" || status=1
  if ((status == 0 && $# > 2)); then
    "$BIN/mongo-command" "$uri" admin "{\"replSetInitiate\": {\"_id\": \"rs0\", \"members\": [{
      \"_id\": 0, \"host\": \"127.0.0.1:$port\"}]}}" >>"$log" 2>&1 &&
      mongod_await_primary "$uri" || status=1
  fi
  user=$(printf '{"createUser": "root", "pwd": "%s", "roles": ["root"]}' "$(json_text "$PASSWORD")")
  if ((status == 0)); then
    "$BIN/mongo-command" "$uri" admin "$user" >>"$log" 2>&1 || status=1
  fi
  kill "$pid" 2>/dev/null || true
  wait "$pid" || true
  if ((status != 0)); then
    tail -n 20 "$log" >&2
    die "mongod could not be prepared"
  fi
}

mongod_command() {
  mongod_argv=("$(mongod_program)" --dbpath "$1" --port "$2" --bind_ip 127.0.0.1 --nounixsocket
    --wiredTigerCacheSizeGB 0.5 --setParameter diagnosticDataCollectionEnabled=false --auth
    "${@:3}")
}

# "4.4.0" of "db version v4.4.0-1".
mongod_version() {
  "$(mongod_program)" --version | sed -n 's/^db version v\([0-9]*\.[0-9]*\.[0-9]*\).*/\1/p'
}

# From 6.1 on there is no option --nojournal.
mongod_can_lack_journal() {
  local major minor
  IFS=. read -r major minor _ <<<"$(mongod_version)"
  ((major < 6 || (major == 6 && minor < 1)))
}

mongod_await() {
  local deadline=$((SECONDS + 60))
  until port_is_taken "$2"; do
    kill -0 "$1" 2>/dev/null && ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

mongod_await_primary() {
  local deadline=$((SECONDS + 60))
  until mongod_is_primary "$1"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}

# isMaster, as 4.4 knows no hello; it asks for no password.
mongod_is_primary() {
  "$BIN/mongo-command" "$1" admin '{"isMaster": 1}' 2>/dev/null | grep -q '"ismaster":true'
}

mongod_launch() {
  local options=()
  if [[ ${TESTBED_MONGOD_NOJOURNAL:-} == 1 ]]; then
    mongod_can_lack_journal || die "this mongod always has a journal: $(mongod_version)" \
      "unset TESTBED_MONGOD_NOJOURNAL, or name one below 6.1 by MONGOD=/path/to/mongod"
    options+=(--nojournal)
  fi
  mongod_command "$RUN/mongod/data" "$(mongod_port)" "${options[@]}"
  spawn mongod mongod "${mongod_argv[@]}"
}
mongod_rs_launch() {
  mongod_command "$RUN/mongod-rs/data" "$(mongod_rs_port)" --replSet rs0 \
    --keyFile "$RUN/mongod-rs/data/keyfile"
  spawn mongod-rs mongod "${mongod_argv[@]}"
}

mongod_direct_uri() { printf 'mongodb://127.0.0.1:%s/?directConnection=true\n' "$1"; }
mongod_ready() { mongod_is_primary "$(mongod_direct_uri "$(mongod_port)")"; }
mongod_rs_ready() { mongod_is_primary "$(mongod_direct_uri "$(mongod_rs_port)")"; }
mongod_stop() { stop_process mongod mongod TERM 60; }
mongod_rs_stop() { stop_process mongod-rs mongod TERM 60; }

mongod_env() { mongod_env_lines TESTBED_MONGOD "$(mongod_port)" ""; }
mongod_rs_env() { mongod_env_lines TESTBED_MONGOD_RS "$(mongod_rs_port)" "&replicaSet=rs0"; }

# Empty values where there is no mongod, so that a test can tell.
mongod_env_lines() {
  local have=1
  mongod_program >/dev/null || have=
  export_line "$1_HOST" "${have:+127.0.0.1}"
  export_line "$1_PORT" "${have:+$2}"
  export_line "$1_USER" "${have:+root}"
  export_line "$1_PASSWORD" "${have:+$PASSWORD}"
  export_line "$1_AUTH_DB" "${have:+admin}"
  export_line "$1_URI" \
    "${have:+mongodb://root:$(uri_text "$PASSWORD")@127.0.0.1:$2/?authSource=admin$3}"
}
