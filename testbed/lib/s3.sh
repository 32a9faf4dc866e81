# shellcheck shell=bash
# What the S3 servers share: names, and the buckets that a fresh one has: `plain` without versions,
# `versioned` with them, `locked` with object lock.

# Names below it are buckets. It does not resolve by itself everywhere: libcurl knows *.localhost.
S3_DOMAIN=s3.localhost
S3_POLICY=$(dirname "$(dirname "$LIB")")/docs/s3-policy.json
S3_LIMITED_USER=openedx-backup

s3_tools_install() {
  need curl curl
  go_install s3tools s3_tools_build
  mkdir -p "$BIN"
  ln -sfn "$(go_path s3tools)/s3-command" "$BIN/s3-command"
}

s3_tools_build() { go_build s3tools ./command "$1/s3-command"; }

# s3_command URL ACCESS-KEY ARGUMENT…
s3_command() {
  AWS_ACCESS_KEY_ID=$2 AWS_SECRET_ACCESS_KEY=$PASSWORD "$BIN/s3-command" "$1" "${@:3}"
}

s3_make_buckets() {
  s3_command "$1" "$2" bucket plain &&
    s3_command "$1" "$2" bucket versioned versioned &&
    s3_command "$1" "$2" bucket locked locked
}

# s3_await_port PID PORT
s3_await_port() {
  local deadline=$((SECONDS + 30))
  until port_is_taken "$2"; do
    kill -0 "$1" 2>/dev/null && ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
