# shellcheck shell=bash
# FerretDB 1 on SQLite: few types and indexes, no passwords, but an oplog. For small collections.

ferretdb1_port() { printf '%s\n' "${TESTBED_PORT_FERRETDB1:-$(default_port 23965)}"; }

ferretdb1_install() {
  tools_install_mongo
  go_install ferretdb1 ferretdb1_build
}

# The module lacks a file that its build makes, and panics without it: built from a patched copy.
ferretdb1_build() {
  local folder=$1 source
  cp "$GO_FOLDER/ferretdb1/go.mod" "$GO_FOLDER/ferretdb1/go.sum" "$folder"
  go_run "$folder" mod download github.com/FerretDB/FerretDB
  source=$(go_run "$folder" list -m -f '{{.Dir}}' github.com/FerretDB/FerretDB)
  cp -r "$source" "$folder/source"
  chmod -R u+w "$folder/source"
  printf 'v1.24.2\n' >"$folder/source/build/version/version.txt"
  go_run "$folder" mod edit -replace github.com/FerretDB/FerretDB=./source
  go_build_in "$folder" ferretdb1 github.com/FerretDB/FerretDB/cmd/ferretdb "$folder/ferretdb1"
  rm -rf "$folder/source"
}

ferretdb1_template_key() { printf '%s 1' "$(go_path ferretdb1)"; }

# An oplog exists once somebody has made its collection.
ferretdb1_template() {
  local status=0 deadline=$((SECONDS + 30)) pid
  mkdir "$1/data"
  ! port_is_taken "$(ferretdb1_port)" || die "ferretdb1: port $(ferretdb1_port) is in use" \
    "stop that process, or choose another port by TESTBED_PORT_FERRETDB1"
  ferretdb1_command "$1"
  "${ferretdb1_argv[@]}" >"$1/first.log" 2>&1 9>&- &
  pid=$!
  until port_is_taken "$(ferretdb1_port)" || ((SECONDS > deadline)); do sleep 0.1; done
  "$BIN/mongo-command" "mongodb://127.0.0.1:$(ferretdb1_port)/?directConnection=true" local \
    '{"create": "oplog.rs", "capped": true, "size": 104857600}' >>"$1/first.log" 2>&1 || status=1
  kill "$pid" 2>/dev/null || true
  wait "$pid" || true
  if ((status != 0)); then
    tail -n 20 "$1/first.log" >&2
    die "ferretdb1 did not make its oplog"
  fi
}

# ferretdb1_command FOLDER: the command line, with all of its files in FOLDER/data.
ferretdb1_command() {
  ferretdb1_argv=(env DO_NOT_TRACK=1 "$(go_path ferretdb1)/ferretdb1" --handler=sqlite
    --sqlite-url="file:$1/data/" --state-dir="$1/data" --telemetry=disable --debug-addr=-
    --listen-addr="127.0.0.1:$(ferretdb1_port)" --repl-set-name=rs0 --log-level=warn)
}

ferretdb1_launch() {
  ferretdb1_command "$RUN/ferretdb1"
  spawn ferretdb1 ferretdb1 "${ferretdb1_argv[@]}"
}

ferretdb1_ready() { port_is_taken "$(ferretdb1_port)"; }
ferretdb1_stop() { stop_process ferretdb1 ferretdb1 TERM 20; }

ferretdb1_env() {
  export_line TESTBED_FERRETDB1_HOST 127.0.0.1
  export_line TESTBED_FERRETDB1_PORT "$(ferretdb1_port)"
  export_line TESTBED_FERRETDB1_USER ""
  export_line TESTBED_FERRETDB1_PASSWORD ""
  export_line TESTBED_FERRETDB1_AUTH_DB ""
  export_line TESTBED_FERRETDB1_URI "mongodb://127.0.0.1:$(ferretdb1_port)/?directConnection=true"
}
