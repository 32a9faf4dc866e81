# shellcheck shell=bash
# MySQL of Debian sid (8.4 or 9.x, whatever is there), run as a plain program out of its root.

mysql_port() { printf '%s\n' "${TESTBED_PORT_MYSQL:-$(default_port 23961)}"; }
mysql_root() {
  root_path mysql "${TESTBED_MYSQL_SUITE:-sid}" extract mysql-server-core mysql-client-core
}

mysql_install() {
  local root program
  root_install mysql "${TESTBED_MYSQL_SUITE:-sid}" extract mysql-server-core mysql-client-core
  root=$(mysql_root)
  for program in mysql mysqldump mysqladmin; do
    root_wrapper "$root" "usr/bin/$program" "$BIN/$program"
  done
}

# What both the first start and every later one need to find their own files in the root.
mysql_base_options() {
  local root
  root=$(mysql_root)
  printf '%s\n' --no-defaults --user=root --basedir="$root/usr" \
    --lc-messages-dir="$root/usr/share/mysql" \
    --character-sets-dir="$root/usr/share/mysql/charsets" \
    --plugin-dir="$root/usr/lib/mysql/plugin"
}

mysql_template_key() { printf '%s %s 1' "$(mysql_root)" "$PASSWORD"; }

# mysql_template FOLDER: an initialised data folder with the administrator in it.
mysql_template() {
  local options quoted
  mapfile -t options < <(mysql_base_options)
  quoted=$(sql_string "$PASSWORD")
  cat >"$1/init.sql" <<SQL
CREATE USER 'root'@'%' IDENTIFIED BY $quoted;
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY $quoted;
SQL
  root_command "$(mysql_root)" usr/sbin/mysqld
  if ! "${root_argv[@]}" "${options[@]}" --datadir="$1/data" --initialize-insecure \
    --init-file="$1/init.sql" >"$1/initialize.log" 2>&1; then
    tail -n 30 "$1/initialize.log" >&2
    die "mysqld --initialize-insecure failed"
  fi
  rm "$1/init.sql"
  # Each copy shall make a server identity of its own.
  rm -f "$1/data/auto.cnf"
}

# No name look-ups: with them root@localhost wins over root@'%'. The binary log with GTIDs is on, as
# the engine notes positions; the performance schema is off for its memory.
mysql_launch() {
  local options
  mapfile -t options < <(mysql_base_options)
  client_file mysql "$(mysql_port)"
  # After a kill -9 whose zombie nobody reaps, mysqld would believe that the socket is in use.
  rm -f "$RUN/mysql/mysql.sock" "$RUN/mysql/mysql.sock.lock"
  root_command "$(mysql_root)" usr/sbin/mysqld
  spawn mysql mysqld "${root_argv[@]}" "${options[@]}" --datadir="$RUN/mysql/data" \
    --socket="$RUN/mysql/mysql.sock" --pid-file="$RUN/mysql/data/mysqld.pid" \
    --port="$(mysql_port)" --bind-address=127.0.0.1 --mysqlx=OFF --skip-name-resolve \
    --secure-file-priv= --gtid-mode=ON --enforce-gtid-consistency=ON --server-id=1 \
    --innodb-buffer-pool-size=512M --innodb-redo-log-capacity=512M --performance-schema=OFF
}

mysql_ready() {
  "$BIN/mysql" --defaults-file="$RUN/mysql/client.cnf" -e 'SELECT 1' >/dev/null 2>&1
}

mysql_stop() { stop_process mysql mysqld TERM 60; }

mysql_env() {
  export_line TESTBED_MYSQL_HOST 127.0.0.1
  export_line TESTBED_MYSQL_PORT "$(mysql_port)"
  export_line TESTBED_MYSQL_USER root
  export_line TESTBED_MYSQL_PASSWORD "$PASSWORD"
  export_line TESTBED_MYSQL_SOCKET "$RUN/mysql/mysql.sock"
  export_line TESTBED_MYSQL_DEFAULTS_FILE "$RUN/mysql/client.cnf"
}

# sql_string TEXT: as an SQL literal under the default sql_mode.
sql_string() {
  local text=${1//\\/\\\\}
  printf "'%s'" "${text//\'/\'\'}"
}

# client_file SERVER PORT: an option file, so that no client needs the password as an argument.
client_file() {
  local text=${PASSWORD//\\/\\\\}
  mkdir -p "$RUN/$1"
  (
    umask 077
    printf '[client]\nhost=127.0.0.1\nport=%s\nuser=root\npassword="%s"\n' "$2" "$text" \
      >"$RUN/$1/client.cnf"
  )
}
