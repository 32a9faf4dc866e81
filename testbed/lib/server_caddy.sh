# shellcheck shell=bash
# Caddy with its own certificate authority, so that a real data folder with real certificates and
# keys is there, written by a server that runs. It listens on the loopback interface alone and
# installs nothing into the machine's trust store.

caddy_port() { printf '%s\n' "${TESTBED_PORT_CADDY:-$(default_port 23968)}"; }
caddy_http_port() { printf '%s\n' "${TESTBED_PORT_CADDY_HTTP:-$(default_port 23969)}"; }
caddy_program() { printf '%s/usr/bin/caddy\n' "$(debian_root)"; }

caddy_install() { debian_root_install; }
caddy_template_key() { printf 1; }
caddy_template() { mkdir "$1/data"; }

caddy_launch() {
  root_command "$(debian_root)" usr/bin/caddy
  cat >"$RUN/caddy/Caddyfile" <<CADDYFILE
{
  admin off
  local_certs
  skip_install_trust
  default_bind 127.0.0.1
  auto_https disable_redirects
  http_port $(caddy_http_port)
  https_port $(caddy_port)
}
https://lms.localhost, https://studio.lms.localhost, https://apps.lms.localhost {
  respond "testbed"
}
CADDYFILE
  spawn caddy caddy env HOME="$RUN/caddy" XDG_DATA_HOME="$RUN/caddy/data" \
    XDG_CONFIG_HOME="$RUN/caddy/config" \
    "${root_argv[@]}" run --config "$RUN/caddy/Caddyfile" --adapter caddyfile
}

# Certificates are made after the port opens.
caddy_ready() {
  port_is_taken "$(caddy_port)" &&
    (($(find "$RUN/caddy/data/caddy/certificates" -name '*.crt' 2>/dev/null | wc -l) == 3))
}

caddy_stop() { stop_process caddy caddy TERM 20; }

caddy_env() {
  export_line TESTBED_CADDY_DATA "$RUN/caddy/data"
  export_line TESTBED_CADDY_PORT "$(caddy_port)"
}
