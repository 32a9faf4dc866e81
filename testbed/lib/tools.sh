# shellcheck shell=bash
# Other people's tools, for checks by a third party and for comparison in benchmarks: mongodump and
# its relatives, mydumper, and the stock MySQL clients. They appear in CACHE/bin.

tools_install() {
  local program
  tools_install_mongo
  debian_root_install
  for program in mydumper myloader; do
    root_wrapper "$(debian_root)" "usr/bin/$program" "$BIN/$program"
  done
  mysql_install
}

tools_install_mongo() {
  local program
  go_install mongotools tools_build_mongo
  mkdir -p "$BIN"
  for program in mongodump mongorestore bsondump mongo-command; do
    ln -sfn "$(go_path mongotools)/$program" "$BIN/$program"
  done
}

tools_build_mongo() {
  local program
  for program in mongodump mongorestore bsondump; do
    go_build mongotools "github.com/mongodb/mongo-tools/$program/main" "$1/$program"
  done
  go_build mongotools ./command "$1/mongo-command"
}
