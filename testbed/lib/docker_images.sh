# shellcheck shell=bash
# The images that Tutor's local mode needs, made of the testbed's Debian roots by `docker import`: no
# container registry can be reached. An image's tag is a hash of its recipe: it is made once.

DOCKER_IMAGE_PREFIX=openedx-backup-testbed
DOCKER_RECIPES=$TESTBED/docker/images

docker_images() {
  RUN=$DOCKER running_pid run engine >/dev/null || die "the Docker engine does not run" \
    "testbed/docker/engine up"
  with_lock docker-images docker_images_locked "$@"
}

docker_images_locked() {
  local name
  need mmdebstrap mmdebstrap
  [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || apt_install debian-archive-keyring
  if (($#)); then
    for name in "$@"; do docker_image_ensure "$name"; done
    return
  fi
  for name in mysql mongodb caddy permissions debian-trixie debian-bookworm debian-bullseye; do
    docker_image_ensure "$name"
  done
  # The names under which Dockerfiles ask for them.
  for name in trixie bookworm; do
    docker_client tag "$(docker_image_tag "debian-$name")" "docker.io/debian:$name-slim"
  done
}

# docker_image_tag NAME: its full name. What image_NAME_key prints (names that are hashes of recipes
# themselves) and the functions that make it are its recipe.
docker_image_tag() {
  local function=image_${1/-/_}
  printf '%s/%s:%s\n' "$DOCKER_IMAGE_PREFIX" "$1" "$(
    {
      "${function}_key"
      if declare -f "${function}_make"; then
        declare -f tree_of_root tree_basics
      else
        declare -f docker_debian_image
      fi
    } | short_hash
  )"
}

docker_image_ensure() {
  local name=$1 tag old
  tag=$(docker_image_tag "$name")
  ! docker_client image inspect "$tag" >/dev/null 2>&1 || return 0
  say "docker: making the image of $name"
  # Under another name until it is whole: an import may succeed with what a command left that failed.
  "image_${name/-/_}" "$tag-partial"
  docker_client tag "$tag-partial" "$tag"
  docker_client image rm "$tag-partial" >/dev/null
  for old in $(docker_client images -q --filter "reference=$DOCKER_IMAGE_PREFIX/$name" \
    --filter "before=$tag"); do
    docker_client image rm -f "$old" >/dev/null
  done
}

# docker_import TAG FOLDER CHANGE…: an image of the folder's content.
docker_import() {
  local tag=$1 folder=$2 change changes=() log=$DOCKER/import.log
  shift 2
  for change in "$@"; do changes+=(--change "$change"); done
  if ! tar -c --numeric-owner -C "$folder" . 2>"$log" |
    docker_client import "${changes[@]}" - "$tag" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "could not make the image $tag" "the log is $log"
  fi
}

# with_tree COMMAND…: COMMAND gets a folder that goes away again as its last argument.
with_tree() (
  tree=$(mktemp -d "$DOCKER/tree.XXXXXX")
  trap 'rm -rf "$tree"' EXIT
  chmod 755 "$tree"
  "$@" "$tree"
)

# tree_of_root ROOT TREE: the root by hard links, without what is of no use in a server's image. Its
# files are the root's own: replace them, never write into them.
tree_of_root() {
  cp -al "$1/." "$2"
  (
    cd "$2" || exit
    rm -rf dev proc run tmp etc/{passwd,group,shadow}* var/{cache,log} var/lib/{apt,dpkg,postgresql} \
      usr/share/{doc,man,info,locale,i18n,lintian,bug,perl,perl5,fonts} usr/lib/*-linux-gnu/perl{,-base}
  )
}

# tree_basics TREE SCRIPT…: what a root that was only unpacked lacks to be an image: busybox as its
# shell, the usual links and folders, and our scripts as programs.
tree_basics() {
  local tree=$1 name
  shift
  mkdir -p "$tree"/{usr/bin,usr/lib,usr/lib64,etc,proc,sys,dev,run,data,config,var/lib}
  install -d -m 1777 "$tree/tmp"
  for name in bin sbin lib lib64; do
    [[ -e $tree/$name ]] || ln -s "usr/$name" "$tree/$name"
  done
  install "$(root_path "${DOCKER_TOOLS[@]}")/usr/bin/busybox" "$tree/usr/bin/busybox"
  ln -s busybox "$tree/usr/bin/sh"
  printf 'root:x:0:0::/:/bin/sh\nserver:x:999:999::/:/bin/sh\n' >"$tree/etc/passwd"
  for name in "$@"; do install "$DOCKER_RECIPES/$name" "$tree/usr/bin/$name"; done
}

image_mysql_key() { basename "$(mysql_root)" && cat "$DOCKER_RECIPES/mysql-entrypoint"; }
image_mysql() { mysql_install && with_tree image_mysql_make "$1"; }
image_mysql_make() {
  tree_of_root "$(mysql_root)" "$2"
  find "$2/usr/bin" ! -type d ! -name mysql ! -name mysqldump ! -name mysqladmin -delete
  tree_basics "$2" mysql-entrypoint
  install -d -m 750 -o 999 -g 999 "$2/var/lib/mysql"
  install -d -m 1777 "$2/run/mysqld"
  docker_import "$1" "$2" 'ENTRYPOINT ["mysql-entrypoint"]' 'CMD ["mysqld"]'
}

image_mongodb_key() {
  basename -a "$(ferretdb_root)" "$(go_path ferretdb)" && declare -f ferretdb_template{,_fill} &&
    cat "$DOCKER_RECIPES/mongodb-entrypoint"
}
image_mongodb() { install_server ferretdb && with_tree image_mongodb_make "$1"; }
# PostgreSQL needs a root that was configured, and a user of its own number in passwd.
image_mongodb_make() {
  tree_of_root "$(ferretdb_root)" "$2"
  mkdir -p "$2"/{data/db,run}
  mkdir -m 1777 "$2/tmp"
  sed '$a server:x:999:999::/:/bin/sh' "$(ferretdb_root)/etc/passwd" >"$2/etc/passwd"
  install "$DOCKER_RECIPES/mongodb-entrypoint" "$(ferretdb_program)" "$2/usr/bin/"
  cp -a "$(template_path ferretdb)/data" "$2/template"
  chown -R 999:999 "$2/template" "$2/data"
  docker_import "$1" "$2" 'ENTRYPOINT ["mongodb-entrypoint"]' 'CMD ["mongod"]'
}

image_caddy_key() { basename "$(debian_root)"; }
image_caddy() { debian_root_install && with_tree image_caddy_make "$1"; }
# Of the root that it shares with MariaDB, Caddy needs itself, its libraries and the loader, at the same
# places.
image_caddy_make() {
  local tree=$2 root file
  root=$(debian_root)
  tree_basics "$tree"
  root_command "$root" usr/bin/caddy
  {
    printf '%s\n' "$root/usr/bin/caddy"
    # In "name => path (address)" the path; the loader's own line has no arrow.
    "${root_argv[0]}" --list "${root_argv[@]:1}" | sed -n 's/.*=> \(.*\) (0x.*/\1/p'
    compgen -G "$root/*lib64/ld-linux*.so.*" || compgen -G "$root/usr/lib/ld-linux*.so.*"
  } | while IFS= read -r file; do
    install -D "$file" "$tree/usr/${file##"$root"/?(usr/)}"
  done
  docker_import "$1" "$tree" 'ENV XDG_CONFIG_HOME=/config' 'ENV XDG_DATA_HOME=/data' \
    'CMD ["caddy","run","--config","/etc/caddy/Caddyfile","--adapter","caddyfile"]'
}

# The secret of its user is to be given as MINIO_ROOT_PASSWORD.
image_minio_key() { basename "$(go_path minio)"; }
image_minio() { minio_install && with_tree image_minio_make "$1"; }
image_minio_make() {
  tree_basics "$2"
  install "$(go_path minio)/minio" "$2/usr/bin/minio"
  docker_import "$1" "$2" "ENV MINIO_ROOT_USER=$MINIO_USER" "ENV MINIO_UPDATE=off MINIO_BROWSER=off" \
    'CMD ["minio","server","--quiet","--address",":9000","/data"]'
}

image_permissions_key() { cat "$DOCKER_RECIPES/setowner"; }
image_permissions() { with_tree image_permissions_make "$1"; }
image_permissions_make() {
  tree_basics "$2" setowner
  docker_import "$1" "$2" 'ENTRYPOINT ["setowner"]'
}

# What docker.io/debian:SUITE-slim is: packages of priority `required` and apt, no documentation.
image_debian_trixie_key() { printf 'trixie\n'; }
image_debian_trixie() { docker_debian_image trixie "$1"; }
image_debian_bookworm_key() { printf 'bookworm\n'; }
image_debian_bookworm() { docker_debian_image bookworm "$1"; }

docker_debian_image() {
  local suite=$1 tag=$2 log=$DOCKER/debian-$1.log mirror more=()
  mirror=$(debian_mirror)
  # apt in the image will use the same mirror.
  [[ $mirror != https:* ]] || more+=(--include=ca-certificates)
  # bookworm would merge /usr by a package that brings all of Perl.
  [[ $suite != bookworm ]] ||
    more+=(--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include=usr-is-merged)
  if ! mmdebstrap --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    "${more[@]}" "$suite" - ${mirror:+"$mirror"} 2>"$log" |
    docker_client import --change 'CMD ["bash"]' - "$tag" >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "mmdebstrap could not make the base image of Debian $suite" \
      "the log is $log; TESTBED_DEBIAN_MIRROR names another mirror"
  fi
}

# No real Debian 11, which nothing else would need, but what tells a Dockerfile that it stands on one.
image_debian_bullseye_key() { printf 'bullseye\n'; }
image_debian_bullseye() { with_tree image_debian_bullseye_make "$1"; }
image_debian_bullseye_make() {
  tree_basics "$2"
  printf '%s\n' 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"' 'NAME="Debian GNU/Linux"' \
    'VERSION_ID="11"' 'VERSION="11 (bullseye)"' VERSION_CODENAME=bullseye ID=debian \
    >"$2/etc/os-release"
  docker_import "$1" "$2" 'CMD ["sh"]'
}
