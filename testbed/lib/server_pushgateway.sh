# shellcheck shell=bash
# Prometheus' Pushgateway, and promtool out of the same root.

MONITORING_PACKAGES=(prometheus prometheus-pushgateway)
monitoring_root() { root_path monitoring "$DEBIAN_SUITE" extract "${MONITORING_PACKAGES[@]}"; }

pushgateway_port() { printf '%s\n' "${TESTBED_PORT_PUSHGATEWAY:-$(default_port 24964)}"; }
pushgateway_url() { printf 'http://127.0.0.1:%s\n' "$(pushgateway_port)"; }

pushgateway_install() {
  root_install monitoring "$DEBIAN_SUITE" extract "${MONITORING_PACKAGES[@]}"
  root_wrapper "$(monitoring_root)" usr/bin/promtool "$BIN/promtool"
}
pushgateway_template_key() { printf 1; }
pushgateway_template() { mkdir "$1/data"; }

pushgateway_launch() {
  root_command "$(monitoring_root)" usr/bin/prometheus-pushgateway
  spawn pushgateway pushgateway "${root_argv[@]}" --log.level=warn \
    --web.listen-address="127.0.0.1:$(pushgateway_port)" \
    --persistence.file="$RUN/pushgateway/data/metrics"
}

pushgateway_ready() { curl -fs -o /dev/null "$(pushgateway_url)/-/ready"; }
pushgateway_stop() { stop_process pushgateway pushgateway TERM 20; }
pushgateway_env() { export_line TESTBED_PUSHGATEWAY_URL "$(pushgateway_url)"; }
