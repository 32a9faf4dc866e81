# shellcheck shell=bash
# Versity's S3 gateway on a folder: a second S3 server that shares no code with MinIO. Objects are
# files, with what S3 knows of them in extended attributes.

VERSITYGW_USER=testbed

versitygw_port() { printf '%s\n' "${TESTBED_PORT_VERSITYGW:-$(default_port 24963)}"; }

versitygw_install() {
  s3_tools_install
  go_install versitygw versitygw_build
}

versitygw_build() { go_build versitygw github.com/versity/versitygw/cmd/versitygw "$1/versitygw"; }

versitygw_template_key() { printf '%s %s 1' "$(go_path versitygw)" "$PASSWORD"; }

versitygw_template() {
  local pid status=0 versitygw_argv
  mkdir -p "$1/data/objects" "$1/data/versions"
  ! port_is_taken "$(versitygw_port)" || die "versitygw: port $(versitygw_port) is in use" \
    "stop that process, or choose another port by TESTBED_PORT_VERSITYGW"
  versitygw_command "$1/data"
  "${versitygw_argv[@]}" >"$1/first.log" 2>&1 9>&- &
  pid=$!
  {
    s3_await_port "$pid" "$(versitygw_port)" && s3_make_buckets "$(versitygw_url)" "$VERSITYGW_USER"
  } >>"$1/first.log" 2>&1 || status=1
  kill "$pid" 2>/dev/null || true
  wait "$pid" || true
  if ((status != 0)); then
    tail -n 20 "$1/first.log" >&2
    die "versitygw could not be prepared"
  fi
}

# versitygw_command DATA: the command line into versitygw_argv. The versions' folder must not begin
# with the path of the objects'.
versitygw_command() {
  versitygw_argv=(env ROOT_ACCESS_KEY_ID="$VERSITYGW_USER" ROOT_SECRET_ACCESS_KEY="$PASSWORD"
    "$(go_path versitygw)/versitygw" --port "127.0.0.1:$(versitygw_port)" --quiet
    --virtual-domain "$S3_DOMAIN:$(versitygw_port)"
    posix --versioning-dir "$1/versions" "$1/objects")
}

versitygw_launch() {
  local versitygw_argv
  versitygw_command "$RUN/versitygw/data"
  spawn versitygw versitygw "${versitygw_argv[@]}"
}

versitygw_ready() { port_is_taken "$(versitygw_port)"; }
versitygw_stop() { stop_process versitygw versitygw TERM 20; }
versitygw_url() { printf 'http://127.0.0.1:%s\n' "$(versitygw_port)"; }

versitygw_env() {
  export_line TESTBED_S3_VERSITYGW_URL "$(versitygw_url)"
  export_line TESTBED_S3_VERSITYGW_ACCESS_KEY "$VERSITYGW_USER"
  export_line TESTBED_S3_VERSITYGW_SECRET_KEY "$PASSWORD"
}
