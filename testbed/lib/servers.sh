# shellcheck shell=bash
# What can be done with any server. Each is a file server_NAME.sh with the functions
#   NAME_install        fetch and build what it needs; nothing when it is there already
#   NAME_port           its loopback port
#   NAME_template_key   a text that changes when the template must be made anew
#   NAME_template DIR   fill DIR with a fresh data folder DIR/data
#   NAME_launch         start its processes on RUN/NAME/data with `spawn`
#   NAME_ready          succeeds once it answers
#   NAME_stop           stop its processes with `stop_process`
#   NAME_env            its lines of `testbed env`

KNOWN_SERVERS=(mysql mariadb ferretdb ferretdb1 mongod mongod-rs caddy minio minio-tls versitygw
  pushgateway)

# call SERVER FUNCTION ARGUMENT…
call() { "${1//-/_}_$2" "${@:3}"; }

check_name() {
  local known
  for known in "${KNOWN_SERVERS[@]}"; do
    [[ $known != "$1" ]] || return 0
  done
  die "there is no server '$1'" "servers: ${KNOWN_SERVERS[*]}"
}

template_path() {
  printf '%s/templates/%s-%s\n' "$CACHE" "$1" "$(call "$1" template_key | short_hash)"
}

ensure_template() {
  local path
  path=$(template_path "$1")
  [[ ! -d $path ]] || return 0
  say "$1: making its template"
  build_into "$path" call "$1" template
}

install_server() {
  call "$1" install
  with_lock "template-$1" ensure_template "$1"
}

fresh_data() {
  rm -rf "${RUN:?}/$1/data" "$RUN/$1"/*.log
  mkdir -p "$RUN/$1"
  cp -a --reflink=auto "$(template_path "$1")/data" "$RUN/$1/data.partial"
  mv -T "$RUN/$1/data.partial" "$RUN/$1/data"
}

# launch SERVER: starts it unless it runs, whole.
launch() {
  if is_running "$1"; then
    ! all_running "$1" || return 0
    say "$1: one of its processes is dead; starting all anew"
    call "$1" stop
  fi
  # All processes are gone: what they left must not be mistaken for new ones.
  rm -rf "$RUN/$1"/*.pid "$RUN/$1"/data.partial
  local port
  port=$(call "$1" port)
  if port_is_taken "$port"; then
    die "$1: port $port of 127.0.0.1 is in use by a process that this testbed did not start" \
      "stop that process, or choose another port by $(port_variable "$1")"
  fi
  call "$1" launch
}

port_variable() {
  local name=${1//-/_}
  printf 'TESTBED_PORT_%s\n' "${name^^}"
}

# await SERVER: until it answers; a dead process or a passed time limit is an error with its log.
await() {
  local deadline=$((SECONDS + ${TESTBED_START_SECONDS:-90}))
  until call "$1" ready; do
    if ! all_running "$1"; then
      show_logs "$1"
      die "$1 died while it started"
    fi
    if ((SECONDS >= deadline)); then
      show_logs "$1"
      die "$1 runs but did not answer in time" "TESTBED_START_SECONDS sets the limit"
    fi
    sleep 0.1
  done
}

all_running() {
  local process
  for process in $(processes_of "$1"); do
    running_pid "$1" "$process" >/dev/null || return 1
  done
}

show_logs() {
  local log
  for log in "$RUN/$1"/*.log; do
    [[ -f $log ]] || continue
    printf -- '--- the end of %s\n' "$log" >&2
    tail -n 30 "$log" >&2
  done
}

up_one() {
  [[ -d $RUN/$1/data ]] || fresh_data "$1"
  launch "$1"
}

up() {
  local server
  for server in "$@"; do
    install_server "$server"
    with_lock "${RUN##*/}-$server" up_one "$server"
  done
  for server in "$@"; do
    await "$server"
    say "$server is up on 127.0.0.1:$(call "$server" port)"
  done
}

start() {
  [[ -d $RUN/$1/data ]] || die "$1 has no data to start on" "testbed up $1"
  with_lock "${RUN##*/}-$1" launch "$1"
  await "$1"
}

down_one() {
  [[ -d $RUN/$1 ]] || return 0
  local was=stopped
  ! is_running "$1" || was=running
  call "$1" stop
  [[ $was == stopped ]] || say "$1 is down; its data stays in $RUN/$1/data"
}

# The data is thrown away, so nobody has to be asked politely.
reset_one() {
  kill_one "$1"
  fresh_data "$1"
  launch "$1"
}

reset() {
  install_server "$1"
  with_lock "${RUN##*/}-$1" reset_one "$1"
  await "$1"
}

remove_one() {
  kill_one "$1"
  rm -rf "${RUN:?}/$1"
}

kill_one() {
  local process
  signal_server KILL "$1"
  for process in $(processes_of "$1"); do
    wait_gone "$1" "$process" 10 || die "$1: $process survives SIGKILL"
    rm -f "$RUN/$1/$process.pid"
  done
}

status_one() {
  local process pid
  if ! is_running "$1"; then
    if [[ -d $RUN/$1/data ]]; then
      printf '%-10s stopped, with data\n' "$1"
    else
      printf '%-10s never started\n' "$1"
    fi
    return
  fi
  for process in $(processes_of "$1"); do
    if pid=$(running_pid "$1" "$process"); then
      printf '%-10s %s runs as pid %s, port %s, log %s\n' \
        "$1" "$process" "$pid" "$(call "$1" port)" "$RUN/$1/$process.log"
    else
      printf '%-10s %s is dead, log %s\n' "$1" "$process" "$RUN/$1/$process.log"
    fi
  done
}

export_line() { printf 'export %s=%q\n' "$1" "$2"; }
