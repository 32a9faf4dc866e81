# What the benchmarks share: building, servers of their own with a generated site, timing. Sourced.
# shellcheck shell=bash
. scripts/lib/ccache.sh
jobs=${JOBS:-$(nproc)}
work=$CACHE/bench
engine=$PWD/build/bench/openedx-backup
generator=$PWD/build/bench/testbed/generator/site-generator
started=()

stop_servers() { ((${#started[@]} == 0)) || testbed/testbed down "${started[@]}" >/dev/null; }
trap stop_servers EXIT

# timed NAME COMMAND…: runs it, keeps seconds and peak memory (kB of the largest process).
declare -A seconds memory bytes
timed() {
  local name=$1 spent peak
  shift
  printf '%s … ' "$name" >&2
  command time -o "$work/time" -f '%e %M' "$@" >"$work/out" 2>&1 || {
    tail -n 20 "$work/out" >&2
    echo "bench: '$name' failed" >&2
    exit 1
  }
  read -r spent peak < <(tail -n 1 "$work/time")
  seconds[$name]=$spent memory[$name]=$peak
  printf '%s s\n' "$spent" >&2
}
size_of() { du -sb "$1" | cut -f1; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
fresh() { rm -rf "${work:?}/$1" && mkdir -p "$work/$1"; }

machine() {
  printf '%s, %s cores, %s' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
    "$(sed -n 's/PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
}

build_engine() {
  scripts/install-deps --testbed
  mkdir -p build "$work"
  cmake --preset bench >build/bench.configure.log || { cat build/bench.configure.log; exit 1; }
  cmake --build build/bench --parallel "$jobs" --target openedx-backup site-generator | tail -n 1
  testbed/testbed install tools
}

# reset_server SERVER: an empty one of this run's own, never one that somebody uses.
reset_server() {
  if [[ " ${started[*]} " != *" $1 "* ]]; then
    if testbed/testbed status | grep -q "^$1 .*runs as pid"; then
      echo "bench: the testbed's $1 is running already; stop it first: testbed/testbed down $1" >&2
      exit 1
    fi
    started+=("$1")
  fi
  testbed/testbed reset "$1"
}

# fill_servers MYSQL_SIZE MONGODB_SIZE: empty servers with a site of that size. Sets the variables by
# which the engine finds them, and ours: the command's beginning, as the peers know no MYSQL_HOST of ours.
fill_servers() {
  reset_server mysql
  reset_server ferretdb
  eval "$(testbed/testbed env)"
  export MYSQL_ROOT_USERNAME=$TESTBED_MYSQL_USER MYSQL_ROOT_PASSWORD=$TESTBED_MYSQL_PASSWORD
  export MONGODB_HOST=$TESTBED_FERRETDB_HOST MONGODB_PORT=$TESTBED_FERRETDB_PORT
  export MONGODB_USERNAME=$TESTBED_FERRETDB_USER MONGODB_PASSWORD=$TESTBED_FERRETDB_PASSWORD
  export MONGODB_AUTHENTICATION_DATABASE=$TESTBED_FERRETDB_AUTH_DB
  ours=(env MYSQL_HOST="$TESTBED_MYSQL_HOST" MYSQL_PORT="$TESTBED_MYSQL_PORT")
  MYSQL_PASSWORD=$TESTBED_MYSQL_PASSWORD MONGODB_PASSWORD=$TESTBED_FERRETDB_PASSWORD "$generator" fill \
    --mysql-host "$TESTBED_MYSQL_HOST" --mysql-port "$TESTBED_MYSQL_PORT" \
    --mysql-user "$TESTBED_MYSQL_USER" --mongodb-uri "$TESTBED_FERRETDB_URI" \
    --mysql-size "$1" --mongodb-size "$2"
}
