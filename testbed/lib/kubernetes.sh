# shellcheck shell=bash
# A Kubernetes of one node, beside whatever the machine runs: all of its parts, containers included, live
# in process, mount and network namespaces of their own (see testbed/kubernetes/namespace), and when
# their first process ends, the kernel ends and unmounts all. Beside the testbed's Docker engine it can
# run, and Tutor for both is the engine's (docker_tutor).

KUBERNETES=$CACHE/kubernetes
# As the Docker engine's, this is below /mnt inside.
KUBERNETES_INSIDE=$DOCKER_INSIDE/kubernetes
KUBERNETES_PARTS=(etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl)
# Its own branch of every hierarchy, below which the pods' groups are made.
KUBERNETES_CGROUP=openedx-backup-testbed-pods

kubernetes_port() { printf '%s\n' "${TESTBED_PORT_KUBERNETES:-$(default_port 24964)}"; }

kubernetes_install() {
  require_root
  # Packages whose services shall not run because the testbed puts them here.
  command -v containerd >/dev/null || without_services apt_install containerd
  need runc runc
  need iptables iptables
  need slirp4netns slirp4netns
  need unshare util-linux
  need openssl openssl
  need python3 python3
  [[ -n $(kubernetes_cni) ]] || apt_install containernetworking-plugins
  [[ -n $(kubernetes_cni) ]] || die "the CNI plugins ptp and host-local are missing" \
    "install containernetworking-plugins"
  root_install "${DOCKER_TOOLS[@]}"
  go_install kubernetes kubernetes_build
  go_install coredns kubernetes_build_coredns
  go_install kubectl kubernetes_build_kubectl
  with_lock kubernetes-busybox kubernetes_busybox_install
  kubernetes_link_kubectl
}

# The folder of the machine's CNI plugins.
kubernetes_cni() {
  local folder
  for folder in /usr/lib/cni /opt/cni/bin; do
    [[ ! -x $folder/ptp || ! -x $folder/host-local ]] || { printf '%s\n' "$folder" && return; }
  done
}

# kubernetes_build_program NAME FOLDER: Kubernetes takes its release from the linker; nodes and clients
# tell it each other. Modules other than the whole count theirs from v0.
kubernetes_build_program() {
  local release minor flags
  release=$(sed -nE "s/^(require )?\\s*k8s.io\/$1 v[01]\.//p" "$GO_FOLDER/$1/go.mod")
  minor=${release%%.*}
  flags="-s -w -X k8s.io/component-base/version.gitVersion=v1.$release"
  flags+=" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$minor"
  go_build "$1" ./command "$2/$1" -ldflags "$flags"
}

kubernetes_build() {
  local name
  kubernetes_build_program kubernetes "$1"
  for name in "${KUBERNETES_PARTS[@]}"; do ln -s kubernetes "$1/$name"; done
}
kubernetes_build_kubectl() { kubernetes_build_program kubectl "$1"; }

kubernetes_build_coredns() { go_build coredns ./command "$1/coredns" -ldflags '-s -w'; }

# Hard links: other users than root cannot follow one into root's cache folder.
kubernetes_link_kubectl() {
  mkdir -p "$KUBERNETES_INSIDE"/{bin,newer}
  ln -f "$(go_path kubernetes)/kubernetes" "$KUBERNETES_INSIDE/bin/kubectl"
  ln -f "$(go_path kubectl)/kubectl" "$KUBERNETES_INSIDE/newer/kubectl"
}

# Every pod's first container and the self-test run on an image of busybox alone. Its name is fixed:
# containerd's settings and manifests hold it.
KUBERNETES_BUSYBOX=openedx-backup-testbed/busybox:1
kubernetes_busybox() {
  printf '%s/images/busybox-%s\n' "$KUBERNETES" \
    "$({ root_path "${DOCKER_TOOLS[@]}" && declare -f kubernetes_busybox_build; } | short_hash)"
}
kubernetes_busybox_install() { build_into "$(kubernetes_busybox)" kubernetes_busybox_build; }

# In the layout of `docker save`.
kubernetes_busybox_build() {
  local folder=$1 tree=$1/tree name layer config
  mkdir -p "$tree"/{bin,etc,root}
  install -d -m 1777 "$tree/tmp"
  install "$(root_path "${DOCKER_TOOLS[@]}")/usr/bin/busybox" "$tree/bin/busybox"
  for name in $("$tree/bin/busybox" --list); do
    [[ $name == busybox ]] || ln -s busybox "$tree/bin/$name"
  done
  tar -c --owner=0 --group=0 --numeric-owner -C "$tree" . >"$folder/layer.tar"
  layer=$(sha256sum "$folder/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sleep","2147483647"]},' \
    "$(kubernetes_architecture)" >"$folder/config.json"
  printf '"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$layer" >>"$folder/config.json"
  config=$(sha256sum "$folder/config.json" | cut -d' ' -f1).json
  mv "$folder/config.json" "$folder/$config"
  printf '[{"Config":"%s","RepoTags":["%s"],"Layers":["layer.tar"]}]' \
    "$config" "$KUBERNETES_BUSYBOX" >"$folder/manifest.json"
  tar -c -C "$folder" "$config" layer.tar manifest.json >"$folder/image.tar"
  find "$folder" -mindepth 1 -maxdepth 1 ! -name image.tar -exec rm -r {} +
}

# As Go, and with it containerd, calls it.
kubernetes_architecture() {
  case $(uname -m) in
    x86_64) printf 'amd64\n' ;;
    aarch64) printf 'arm64\n' ;;
    *) uname -m ;;
  esac
}

# One cluster a cache folder, whatever the instance.
kubernetes_env() { kubernetes_env_below "$KUBERNETES_INSIDE"; }

# TESTBED_KUBECTL: "newer" takes the one of a later release than the cluster's. TESTBED_KUBECONFIG: another
# account than the administrator's.
kubernetes_env_below() {
  export_line KUBECONFIG "${TESTBED_KUBECONFIG:-$1/config}"
  # shellcheck disable=SC2016 # the reader's PATH
  printf 'export PATH=%q:$PATH\n' "$1/${TESTBED_KUBECTL:-bin}"
}

kubernetes_up() {
  kubernetes_install
  RUN=$KUBERNETES with_lock kubernetes-cluster kubernetes_launch
  kubernetes_await
}

kubernetes_launch() {
  local port
  ! running_pid run cluster >/dev/null || return 0
  port=$(kubernetes_port)
  ! port_is_taken "$port" || die "port $port is in use by a process that this testbed did not start" \
    "stop that process, or choose another port by TESTBED_PORT_KUBERNETES"
  kubernetes_clean_cgroups
  rm -rf "$KUBERNETES/run" "$KUBERNETES_INSIDE/config"
  mkdir -p "$KUBERNETES/run" "$KUBERNETES/images"
  # No name of a server is longer than its folder's: `run` is the folder of the process numbers.
  spawn run cluster env KUBERNETES_PROGRAMS="$(go_path kubernetes)" COREDNS="$(go_path coredns)/coredns" \
    CNI_PLUGINS="$(kubernetes_cni)" BUSYBOX_TAR="$(kubernetes_busybox)/image.tar" \
    BUSYBOX="docker.io/$KUBERNETES_BUSYBOX" CGROUP="$KUBERNETES_CGROUP" PORT="$port" \
    CACHE="$CACHE" RUN="$KUBERNETES/run" IMAGES="$KUBERNETES/images" INSIDE="$DOCKER_INSIDE" \
    OWNER="$DOCKER_USER" \
    unshare --mount --propagation slave --pid --fork --kill-child --mount-proc \
    bash "$TESTBED/kubernetes/namespace" "$KUBERNETES/run"
}

kubernetes_await() {
  local deadline=$((SECONDS + ${TESTBED_START_SECONDS:-90})) RUN=$KUBERNETES
  until [[ -e $KUBERNETES/run/ready ]]; do
    if ! running_pid run cluster >/dev/null || ((SECONDS >= deadline)); then
      tail -n 15 "$KUBERNETES/run"/log/*.log "$KUBERNETES/run/cluster.log" >&2
      kubernetes_down
      die "the cluster did not come up" \
        "its logs are above; it needs root, overlayfs, cgroups, /dev/net/tun and iptables"
    fi
    sleep 0.1
  done
}

kubernetes_down() { RUN=$KUBERNETES with_lock kubernetes-cluster kubernetes_stop; }

# Nothing of the cluster's state outlives it but images, which containerd is asked to leave in order.
kubernetes_stop() {
  local pid child
  if pid=$(running_pid run cluster); then
    # unshare itself does not hear SIGTERM while it waits.
    for child in $(docker_children "$pid"); do kill -s TERM "$child" 2>/dev/null || true; done
    if ! wait_gone run cluster 20; then
      say "kubernetes: the cluster ignored SIGTERM for 20 s: killing it"
      stop_process run cluster KILL 10
    fi
  fi
  rm -f "$KUBERNETES/run/cluster.pid" "$KUBERNETES_INSIDE/config"
  kubernetes_clean_cgroups
}

# The kernel removes none by itself. One that a dying process is still in stays until the next time.
kubernetes_clean_cgroups() {
  local attempt
  for attempt in 1 2 3 4 5; do
    find /sys/fs/cgroup -depth -type d -path "*/$KUBERNETES_CGROUP*" -exec rmdir {} + 2>/dev/null || true
    [[ -n $(find /sys/fs/cgroup -type d -name "$KUBERNETES_CGROUP") ]] || return 0
    sleep "0.$attempt"
  done
}

kubernetes_remove() {
  kubernetes_down
  rm -rf "${KUBERNETES:?}" "${KUBERNETES_INSIDE:?}"
}

kubernetes_status() {
  local RUN=$KUBERNETES pid
  if ! pid=$(running_pid run cluster); then
    printf 'the cluster does not run; its images: %s\n' "$KUBERNETES/images"
    return
  fi
  printf 'the cluster runs as pid %s, settings %s, logs %s\n' "$pid" "$KUBERNETES_INSIDE/config" \
    "$KUBERNETES/run/log"
  kubernetes_kubectl get nodes,pods --all-namespaces
}

kubernetes_kubectl() {
  (
    eval "$(kubernetes_env)"
    exec kubectl "$@"
  )
}

kubernetes_ctr() {
  ctr --address "$KUBERNETES/run/containerd.sock" --namespace k8s.io "$@"
}

kubernetes_need_cluster() {
  if ! RUN=$KUBERNETES running_pid run cluster >/dev/null || [[ ! -e $KUBERNETES/run/ready ]]; then
    die "the cluster does not run" "testbed/kubernetes/cluster up"
  fi
}

# kubernetes_load IMAGE-TAR…: what `docker save` wrote. - is the standard input.
kubernetes_load() {
  local file
  kubernetes_need_cluster
  (($#)) || die "no file of an image is named" "docker save IMAGE | testbed/kubernetes/cluster load -"
  for file in "$@"; do
    kubernetes_ctr images import --snapshotter overlayfs "$file" >/dev/null ||
      die "containerd cannot read the image $file" "it has to be as \`docker save\` writes it"
  done
}

# kubernetes_images IMAGE…: those of the testbed's Docker engine, where they are not here yet as they
# are there.
kubernetes_images() {
  local image id
  kubernetes_need_cluster
  for image in "$@"; do
    id=$(docker_client image inspect -f '{{.Id}}' "$image") || die "the engine has no image $image" \
      "testbed/docker/engine up and images, or tutor images build"
    ! kubernetes_has_image "$image" "$id" || continue
    say "kubernetes: taking the image $image"
    docker_client save "$image" | kubernetes_load -
  done
}

# kubernetes_has_image IMAGE ID: containerd notes each image by its name and by its ID.
kubernetes_has_image() {
  local name=$1
  # What has no registry's name before its first slash is Docker Hub's.
  [[ ${name%%/*} =~ [.:] ]] || name=docker.io/$name
  kubernetes_ctr images ls | awk -v name="$name" -v id="$2" '
    $1 == name { named = $3 } $1 == id { known = $3 } END { exit !(named && named == known) }'
}

# kubernetes_run COMMAND…: where pods and services have their addresses; DOCKER_INSIDE is /mnt there.
kubernetes_run() {
  local pid RUN=$KUBERNETES
  kubernetes_need_cluster
  pid=$(docker_inner_pid_of "$(running_pid run cluster)")
  eval "$(kubernetes_env_below /mnt/kubernetes)"
  # As docker_run_inside.
  exec env --ignore-signal=INT nsenter --target "$pid" --net --mount --pid -- \
    env --default-signal=INT "$@"
}

# As an ordinary user, whose the file of the cluster's settings is.
kubernetes_run_as_user() {
  kubernetes_run setpriv --reuid "$DOCKER_USER" --regid "$DOCKER_USER" --clear-groups \
    env USER=tutor LOGNAME=tutor "$@"
}
