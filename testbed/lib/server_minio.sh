# shellcheck shell=bash
# MinIO: versions, multipart, checksums, object lock, policies, SSE. `minio` speaks HTTP, `minio-tls`
# HTTPS with a certificate of the testbed's own authority (a port is the one or the other).

MINIO_USER=testbed
MINIO_KMS_KEY=testbed-key

minio_port() { printf '%s\n' "${TESTBED_PORT_MINIO:-$(default_port 24961)}"; }
minio_tls_port() { printf '%s\n' "${TESTBED_PORT_MINIO_TLS:-$(default_port 24962)}"; }

minio_install() {
  s3_tools_install
  go_install minio minio_build
}
minio_tls_install() {
  need openssl openssl
  minio_install
}

minio_build() { go_build minio github.com/minio/minio "$1/minio"; }

minio_template_key() {
  printf '%s %s %s 1' "$(go_path minio)" "$PASSWORD" "$(<"$S3_POLICY")"
}
minio_tls_template_key() { printf '%s tls' "$(minio_template_key)"; }

minio_template() { minio_make_template "$1" "$(minio_port)"; }
minio_tls_template() {
  minio_make_template "$1" "$(minio_tls_port)"
  minio_certificates "$1/data" >"$1/certificates.log" 2>&1 || {
    tail -n 20 "$1/certificates.log" >&2
    die "openssl could not make certificates"
  }
}

# minio_make_template FOLDER PORT: data with buckets and a user of few rights. Without certificates
# yet, so over HTTP.
minio_make_template() {
  local pid status=0 minio_argv
  mkdir -p "$1/data/objects" "$1/data/certificates"
  ! port_is_taken "$2" || die "port $2 is in use" "stop that process, or choose another port"
  minio_command "$1/data" "$2"
  "${minio_argv[@]}" >"$1/first.log" 2>&1 9>&- &
  pid=$!
  { s3_await_port "$pid" "$2" && minio_fill "http://127.0.0.1:$2"; } >>"$1/first.log" 2>&1 || status=1
  kill "$pid" 2>/dev/null || true
  wait "$pid" || true
  if ((status != 0)); then
    tail -n 20 "$1/first.log" >&2
    die "minio could not be prepared"
  fi
}

minio_fill() {
  minio_await_health "$1" || return
  s3_make_buckets "$1" "$MINIO_USER" || return
  # The bucket that the policy names.
  s3_command "$1" "$MINIO_USER" bucket backups versioned || return
  S3_USER_SECRET_KEY=$PASSWORD s3_command "$1" "$MINIO_USER" user "$S3_LIMITED_USER" "$S3_POLICY"
}

# Its port opens before it answers requests.
minio_await_health() {
  local deadline=$((SECONDS + 30))
  until curl -fs -o /dev/null "$1/minio/health/ready"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# minio_certificates DATA: an authority, a certificate by it for every name of the server, and
# another authority, which has signed nothing. The authorities' keys are thrown away.
minio_certificates() {
  local data=$1 work names
  work=$(mktemp -d)
  names="subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:$S3_DOMAIN,DNS:*.$S3_DOMAIN"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj '/CN=testbed authority' -keyout "$work/ca.key" -out "$data/ca.pem" &&
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
      -subj '/CN=another authority' -keyout "$work/other.key" -out "$data/other-ca.pem" &&
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=minio' \
      -keyout "$data/certificates/private.key" -out "$work/minio.csr" &&
    openssl x509 -req -in "$work/minio.csr" -CA "$data/ca.pem" -CAkey "$work/ca.key" \
      -CAcreateserial -days 3650 -extfile <(printf '%s\n' "$names") \
      -out "$data/certificates/public.crt" || return
  rm -rf "$work"
}

# minio_command DATA PORT: the command line into minio_argv. HTTPS where DATA has certificates.
minio_command() {
  local kms_key
  kms_key=$(printf '%032d' 0 | base64)
  minio_argv=(env HOME="$1" MINIO_ROOT_USER="$MINIO_USER" MINIO_ROOT_PASSWORD="$PASSWORD"
    MINIO_DOMAIN="$S3_DOMAIN" MINIO_KMS_SECRET_KEY="$MINIO_KMS_KEY:$kms_key"
    MINIO_UPDATE=off MINIO_BROWSER=off MINIO_CALLHOME_ENABLE=off
    "$(go_path minio)/minio" server --quiet --certs-dir "$1/certificates"
    --address "127.0.0.1:$2" "$1/objects")
}

minio_launch() {
  local minio_argv
  minio_command "$RUN/minio/data" "$(minio_port)"
  spawn minio minio "${minio_argv[@]}"
}
minio_tls_launch() {
  local minio_argv
  minio_command "$RUN/minio-tls/data" "$(minio_tls_port)"
  spawn minio-tls minio "${minio_argv[@]}"
}

minio_ready() { curl -fs -o /dev/null "$(minio_url)/minio/health/ready"; }
minio_tls_ready() {
  curl -fs -o /dev/null --cacert "$RUN/minio-tls/data/ca.pem" "$(minio_tls_url)/minio/health/ready"
}
minio_stop() { stop_process minio minio TERM 20; }
minio_tls_stop() { stop_process minio-tls minio TERM 20; }

minio_url() { printf 'http://127.0.0.1:%s\n' "$(minio_port)"; }
minio_tls_url() { printf 'https://127.0.0.1:%s\n' "$(minio_tls_port)"; }

minio_env() {
  export_line TESTBED_S3_DOMAIN "$S3_DOMAIN"
  export_line TESTBED_S3_MINIO_URL "$(minio_url)"
  export_line TESTBED_S3_MINIO_ACCESS_KEY "$MINIO_USER"
  export_line TESTBED_S3_MINIO_SECRET_KEY "$PASSWORD"
  export_line TESTBED_S3_MINIO_LIMITED_ACCESS_KEY "$S3_LIMITED_USER"
  export_line TESTBED_S3_MINIO_KMS_KEY "$MINIO_KMS_KEY"
}
minio_tls_env() {
  export_line TESTBED_S3_MINIO_TLS_URL "$(minio_tls_url)"
  export_line TESTBED_S3_CA_FILE "$RUN/minio-tls/data/ca.pem"
  export_line TESTBED_S3_OTHER_CA_FILE "$RUN/minio-tls/data/other-ca.pem"
}
