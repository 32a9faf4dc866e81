# shellcheck shell=bash
# A Docker engine of the testbed's own, beside whatever Docker the machine has: its data, socket and
# processes lie in the cache folder, and it lives in namespaces of its own (see testbed/docker/namespace),
# so that it shares neither bridges, firewall rules and ports nor mounts with the machine.

DOCKER=$CACHE/docker
# What this folder holds lies at /mnt inside the engine's namespaces: users other than root, as whom
# Tutor is to be run, need not reach into root's cache folder.
DOCKER_INSIDE=$DOCKER/inside
# Any user will do, as long as it is neither root nor one that the containers use.
DOCKER_USER=21000
# Compose and Buildx come as they are in one Debian release, on every machine: bookworm has none.
DOCKER_TOOLS=("docker" "${TESTBED_DOCKER_SUITE:-trixie}" extract
  docker-compose docker-buildx busybox-static)

docker_install() {
  require_root
  # docker.io asks for the service to be started: a machine on which the testbed puts it shall not
  # get a running service by that.
  command -v dockerd >/dev/null || without_services apt_install docker.io iptables
  # In newer releases docker.io only recommends it.
  need docker docker-cli
  need iptables iptables
  need slirp4netns slirp4netns
  need unshare util-linux
  root_install "${DOCKER_TOOLS[@]}"
  docker_link_plugins
}

# without_services COMMAND…: packages that COMMAND installs do not start their services.
without_services() {
  local policy=/usr/sbin/policy-rc.d
  if [[ -e $policy ]]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  # A subshell, since apt_install ends the shell when it fails.
  local status=0
  ("$@") || status=$?
  rm -f "$policy"
  ((status == 0)) || exit "$status"
}

# Tutor 13 calls `docker-compose`, later ones `docker compose`. The configuration folders are ours, too
# (root's and Tutor's user's): the machine's users have log-ins, contexts and proxies in theirs.
docker_link_plugins() {
  local plugins plugin config
  plugins=$(root_path "${DOCKER_TOOLS[@]}")/usr/libexec/docker/cli-plugins
  mkdir -p "$DOCKER_INSIDE"/{bin,config,user-config}
  for config in "$DOCKER_INSIDE"/{config,user-config}; do
    mkdir -p "$config/cli-plugins"
    for plugin in docker-compose docker-buildx; do
      ln -f "$plugins/$plugin" "$config/cli-plugins/$plugin"
    done
  done
  chown "$DOCKER_USER:$DOCKER_USER" "$DOCKER_INSIDE/user-config"
  ln -sfn ../config/cli-plugins/docker-compose "$DOCKER_INSIDE/bin/docker-compose"
}

# One engine a cache folder, whatever the instance: two could not share the images.
docker_env() { docker_env_below "$DOCKER_INSIDE"; }

# docker_env_below FOLDER: as seen from outside or, with /mnt, from inside.
docker_env_below() {
  export_line DOCKER_HOST "unix://$1/docker.sock"
  export_line DOCKER_CONFIG "$1/config"
  # shellcheck disable=SC2016 # the reader's PATH
  printf 'export PATH=%q:$PATH\n' "$1/bin"
  # The default of newer clients: all of them build alike.
  printf 'export DOCKER_BUILDKIT=1\n'
  # A context or a daemon's certificates of the user's would lead elsewhere.
  printf 'unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH\n'
}

docker_up() {
  docker_install
  RUN=$DOCKER with_lock docker-engine docker_launch
  docker_await
}

docker_launch() {
  ! running_pid run engine >/dev/null || return 0
  rm -rf "$DOCKER/run"
  mkdir -p "$DOCKER/run" "$DOCKER/data"
  # No name of a server is longer than its folder's: `run` is the folder of the process numbers.
  spawn run engine unshare --mount --propagation slave --pid --fork --kill-child --mount-proc \
    bash "$TESTBED/docker/namespace" "$DOCKER/run" "$DOCKER/data" "$DOCKER_INSIDE" "$DOCKER_USER"
}

docker_await() {
  local deadline=$((SECONDS + ${TESTBED_START_SECONDS:-90})) RUN=$DOCKER
  until docker_client version >/dev/null 2>&1; do
    if ! running_pid run engine >/dev/null || ((SECONDS >= deadline)); then
      tail -n 30 "$DOCKER/run/engine.log" >&2
      docker_down
      die "the Docker engine does not answer" \
        "its log is above; it needs root, overlayfs, cgroups, /dev/net/tun and iptables"
    fi
    sleep 0.1
  done
}

docker_client() {
  (
    eval "$(docker_env)"
    exec docker "$@"
  )
}

docker_down() {
  RUN=$DOCKER with_lock docker-engine docker_stop
}

# First the containers, so that none starts again with the next engine; then the engine; and with
# the first process of a process namespace all others of it end.
docker_stop() {
  local pid child containers
  pid=$(running_pid run engine) || return 0
  if containers=$(docker_client ps -aq 2>/dev/null) && [[ -n $containers ]]; then
    # shellcheck disable=SC2086 # a list
    docker_client rm -f -v $containers >/dev/null 2>&1 || true
    docker_client network prune -f >/dev/null 2>&1 || true
  fi
  # unshare itself does not hear SIGTERM while it waits.
  for child in $(docker_children "$pid"); do kill -s TERM "$child" 2>/dev/null || true; done
  if ! wait_gone run engine 30; then
    say "docker: the engine ignored SIGTERM for 30 s: killing it"
    stop_process run engine KILL 10
  fi
  rm -f "$DOCKER/run/engine.pid" "$DOCKER_INSIDE/docker.sock"
}

docker_children() { cat "/proc/$1/task"/*/children 2>/dev/null || true; }

# docker_inner_pid: a process that lives in all of the engine's namespaces.
docker_inner_pid() {
  local RUN=$DOCKER pid
  pid=$(running_pid run engine) || die "the Docker engine does not run" "testbed/docker/engine up"
  docker_inner_pid_of "$pid"
}

# docker_inner_pid_of PID: the same of any such namespaces, from the process that made them.
docker_inner_pid_of() {
  local first child
  for first in $(docker_children "$1"); do
    for child in $(docker_children "$first"); do
      [[ $(readlink "/proc/$child/ns/net") == "$(readlink /proc/self/ns/net)" ]] ||
        { printf '%s\n' "$child" && return; }
    done
  done
  die "process $1 has no namespaces"
}

# docker_run_inside COMMAND…: where containers have their addresses and published ports, and where
# DOCKER_INSIDE is /mnt. Everything else is the machine's; the current folder is /. nsenter stays as the
# command's parent: Ctrl-C is for the command alone.
docker_run_inside() {
  local pid
  pid=$(docker_inner_pid)
  eval "$(docker_env_below /mnt)"
  exec env --ignore-signal=INT nsenter --target "$pid" --net --mount --pid -- \
    env --default-signal=INT "$@"
}

# As docker_run_inside, but as an ordinary user who may use Docker.
docker_run_as_user() {
  docker_run_inside setpriv --reuid "$DOCKER_USER" --regid "$DOCKER_USER" --clear-groups \
    env DOCKER_CONFIG=/mnt/user-config USER=tutor LOGNAME=tutor "$@"
}

docker_status() {
  local RUN=$DOCKER pid
  if pid=$(running_pid run engine); then
    printf 'the engine runs as pid %s, socket %s, log %s\n' "$pid" "$DOCKER_INSIDE/docker.sock" \
      "$DOCKER/run/engine.log"
    docker_client ps --format '{{.Names}} {{.Image}} {{.Status}}'
  else
    printf 'the engine does not run; its data: %s\n' "$DOCKER/data"
  fi
}

# The data belong to namespaces and layers: only a plain removal when nothing runs is safe.
docker_remove() {
  docker_down
  rm -rf "${DOCKER:?}"
}
