# shellcheck shell=bash
# Processes that outlive the shell that started them, and are signalled only while they are surely
# ours: a process is known by its number, its start time and the run folder in its command line.

# spawn SERVER PROCESS COMMAND…: starts COMMAND in a session of its own. COMMAND must become the
# server by exec alone (no fork), so that the number noted here is the server's.
spawn() {
  local server=$1 process=$2 log=$RUN/$1/$2.log pid
  shift 2
  mkdir -p "$RUN/$server"
  # 9 is the lock of with_lock.
  setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
  pid=$!
  printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$RUN/$server/$process.pid"
}

# Field 22 of stat, counted behind the command's name, which may hold blanks.
start_time() {
  local line fields
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -r -a fields <<<"${line##*) }"
  printf '%s\n' "${fields[19]}"
}

# running_pid SERVER PROCESS: prints the number; fails when it is not running. A dying process has
# lost its command line but may still hold its port and locks: it counts until it is a zombie, of
# which no other thread is left.
running_pid() {
  local pid started line state threads
  read -r pid started 2>/dev/null <"$RUN/$1/$2.pid" || return 1
  [[ -n $started && $(start_time "$pid") == "$started" ]] || return 1
  state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null) || return 1
  threads=("/proc/$pid/task"/*)
  [[ -n $state && ($state != [ZX]* || ${#threads[@]} -gt 1) ]] || return 1
  line=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
  # Between fork and exec the command line is still this script's.
  [[ -z $line || $line == *"$RUN/$1"* || $line == *"${0##*/}"* ]] || return 1
  printf '%s\n' "$pid"
}

# The processes of a server in the order in which they were started.
processes_of() {
  local file
  for file in $(cd "$RUN/$1" 2>/dev/null && ls -tr -- *.pid 2>/dev/null); do
    printf '%s\n' "${file%.pid}"
  done
}

is_running() {
  local process
  for process in $(processes_of "$1"); do
    ! running_pid "$1" "$process" >/dev/null || return 0
  done
  return 1
}

# signal_server SIGNAL SERVER: to all of its processes, the last started first.
signal_server() {
  local process pid
  for process in $(processes_of "$2" | tac); do
    if pid=$(running_pid "$2" "$process"); then
      kill -s "$1" "$pid" 2>/dev/null || true
    fi
  done
}

# stop_process SERVER PROCESS SIGNAL SECONDS: asks, waits, then kills.
stop_process() {
  local server=$1 process=$2 pid
  if pid=$(running_pid "$server" "$process"); then
    kill -s CONT "$pid" 2>/dev/null || true # a paused one would not hear the other signal
    kill -s "$3" "$pid" 2>/dev/null || true
    if ! wait_gone "$server" "$process" "$4"; then
      say "$server: $process ignored SIG$3 for $4 s: killing it"
      kill -s KILL "$pid" 2>/dev/null || true
      wait_gone "$server" "$process" 10 || die "$server: $process (pid $pid) survives SIGKILL"
    fi
  fi
  rm -f "$RUN/$server/$process.pid"
}

wait_gone() {
  local deadline=$((SECONDS + $3))
  while running_pid "$1" "$2" >/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
