# shellcheck shell=bash
# MariaDB of Debian stable, the second flavour of MySQL, run as a plain program out of its root: the
# machine's own service, if there is one, is not touched. The same root has mydumper and Caddy.

DEBIAN_PACKAGES=(mariadb-server-core mariadb-client mydumper caddy)
DEBIAN_SUITE=${TESTBED_DEBIAN_SUITE:-bookworm}

debian_root() { root_path debian "$DEBIAN_SUITE" extract "${DEBIAN_PACKAGES[@]}"; }
debian_root_install() { root_install debian "$DEBIAN_SUITE" extract "${DEBIAN_PACKAGES[@]}"; }

mariadb_port() { printf '%s\n' "${TESTBED_PORT_MARIADB:-$(default_port 23962)}"; }

mariadb_install() {
  local root program
  debian_root_install
  root=$(debian_root)
  for program in mariadb mariadb-dump mariadb-admin; do
    root_wrapper "$root" "usr/bin/$program" "$BIN/$program"
  done
}

mariadb_base_options() {
  local root
  root=$(debian_root)
  printf '%s\n' --no-defaults --user=root --basedir="$root/usr" \
    --lc-messages-dir="$root/usr/share/mysql" \
    --character-sets-dir="$root/usr/share/mysql/charsets" \
    --plugin-dir="$root/usr/lib/mysql/plugin"
}

mariadb_template_key() { printf '%s %s 2' "$(debian_root)" "$PASSWORD"; }

# What mariadb-install-db does, whose paths are fixed to the system's. The scripts make a root@ of
# each of the machine's names, which would win over root@'%'; grants work from FLUSH PRIVILEGES on.
mariadb_template() {
  local options scripts quoted name
  scripts=$(debian_root)/usr/share/mysql
  mapfile -t options < <(mariadb_base_options)
  quoted=$(sql_string "$PASSWORD")
  mkdir "$1/data"
  {
    printf 'CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n'
    for name in mysql_system_tables mysql_performance_tables mysql_system_tables_data \
      maria_add_gis_sp_bootstrap mysql_sys_schema; do
      # Newer releases name the files after MariaDB.
      if [[ -f $scripts/$name.sql ]]; then
        cat "$scripts/$name.sql"
      else
        cat "$scripts/mariadb_${name#mysql_}.sql"
      fi
    done
    printf '%s;\n' "DELETE FROM global_priv WHERE User = 'root' AND Host <> 'localhost'" \
      "DELETE FROM global_priv WHERE User = ''" 'FLUSH PRIVILEGES' \
      "CREATE USER 'root'@'%' IDENTIFIED BY $quoted" \
      "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION" \
      "ALTER USER 'root'@'localhost' IDENTIFIED BY $quoted"
  } >"$1/bootstrap.sql"
  root_command "$(debian_root)" usr/sbin/mariadbd
  if ! "${root_argv[@]}" "${options[@]}" --datadir="$1/data" --bootstrap --log-warnings=0 \
    --enforce-storage-engine= --max-allowed-packet=8M <"$1/bootstrap.sql" >"$1/bootstrap.log" 2>&1
  then
    tail -n 30 "$1/bootstrap.log" >&2
    die "mariadbd --bootstrap failed"
  fi
  rm "$1/bootstrap.sql"
}

mariadb_launch() {
  local options
  mapfile -t options < <(mariadb_base_options)
  client_file mariadb "$(mariadb_port)"
  root_command "$(debian_root)" usr/sbin/mariadbd
  spawn mariadb mariadbd "${root_argv[@]}" "${options[@]}" --datadir="$RUN/mariadb/data" \
    --socket="$RUN/mariadb/mariadb.sock" --pid-file="$RUN/mariadb/data/mariadbd.pid" \
    --port="$(mariadb_port)" --bind-address=127.0.0.1 --skip-name-resolve --secure-file-priv= \
    --log-bin="$RUN/mariadb/data/binlog" --server-id=1 --binlog-format=ROW \
    --innodb-buffer-pool-size=256M --max-allowed-packet=64M --character-set-server=utf8mb4
}

mariadb_ready() {
  "$BIN/mariadb" --defaults-file="$RUN/mariadb/client.cnf" -e 'SELECT 1' >/dev/null 2>&1
}

mariadb_stop() { stop_process mariadb mariadbd TERM 60; }

mariadb_env() {
  export_line TESTBED_MARIADB_HOST 127.0.0.1
  export_line TESTBED_MARIADB_PORT "$(mariadb_port)"
  export_line TESTBED_MARIADB_USER root
  export_line TESTBED_MARIADB_PASSWORD "$PASSWORD"
  export_line TESTBED_MARIADB_SOCKET "$RUN/mariadb/mariadb.sock"
  export_line TESTBED_MARIADB_DEFAULTS_FILE "$RUN/mariadb/client.cnf"
}
