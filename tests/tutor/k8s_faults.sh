# shellcheck shell=bash
# shellcheck disable=SC2154 # what e2e_site.sh and k8s_site.sh set
# The steps of tests/tutor/k8s-e2e in which something goes wrong.

refuses_wrong_keys() {
  local before
  before=$(versions)
  site_tutor config save --set BACKUP_S3_SECRET_ACCESS_KEY=wrong
  refuses 'SignatureDoesNotMatch' site_tutor k8s backup
  site_tutor config save --set "BACKUP_S3_SECRET_ACCESS_KEY=$site_password"
  versions_are "$before"
  nothing_is_left
}

# It comes back while the engine tries again.
backup_while_s3_is_down() {
  local before running status=0
  before=$(versions)
  k8s_scale minio 0
  site_tutor k8s backup --only caddy >"$outside/output" 2>&1 &
  running=$!
  site_await "a backup that tries again" grep -qiE 'again|retry' "$outside/output"
  k8s_scale minio 1
  wait "$running" || status=$?
  cat "$outside/output"
  ((status == 0)) || fail "the backup ended with status $status"
  versions_are $((before + 1))
}

# Its volume is not in use then, and the pod goes where the volume is.
backup_while_caddy_is_stopped() {
  local before
  before=$(versions)
  k8s_scale caddy 0
  site_tutor k8s backup --only caddy | tee "$outside/output"
  k8s_scale caddy 1
  versions_are $((before + 1))
  grep -E 'caddy +[1-9][0-9]* entries' "$outside/output" || fail "Caddy's files are not in the archive"
}

# hold COMMAND…: runs it in the background, and returns in the middle of its backup, with the S3 server
# stopped. What it says is in $outside/output; `let_go` ends the stop and waits for its end.
hold() {
  local holder watching=$outside/watching
  rm -f "$watching"
  k8s_stop_in_the_middle "$watching" &
  holder=$!
  while [[ ! -e $watching ]] && kill -0 "$holder"; do sleep 0.1; done
  "$@" >"$outside/output" 2>&1 &
  held=$!
  wait "$holder"
}

# The engine has heard its signal. Before that, it would end its backup as soon as it is let go.
await_stopping() { site_await "the engine to stop" k8s_engine_is_stopping "$outside/watching"; }

# let_go STATUS…: one of these is the command's.
let_go() {
  local status=0
  k8s_freeze CONT
  wait "$held" || status=$?
  cat "$outside/output"
  [[ " $* " == *" $status "* ]] || fail "the command ended with status $status, not $*"
}

# The pod that runs for a Job. The node says so some time after its container has begun.
running_pod() {
  site_await "the pod of $1" has_running_pod "$1"
  running_pods "$1" -o 'jsonpath={.items[0].metadata.name}'
}
has_running_pod() { [[ -n $(running_pods "$1" -o name) ]]; }
running_pods() {
  k get pods --selector "job-name=$1" --field-selector status.phase=Running "${@:2}"
}

says() { grep -qE -- "$1" "$outside/output" || fail "it does not say '$1'"; }

# Ctrl-C: the engine hears SIGTERM and gives its upload up.
interrupt_backup() {
  local before
  before=$(versions)
  hold typing 'backing up to' ^C 130 site_tutor k8s backup
  await_stopping
  let_go 0
  versions_are "$before"
  nothing_is_left
}

# As when a node is drained.
terminate_scheduled() {
  local before
  before=$(versions)
  hold from_schedule terminated backup-cron-job
  k delete pod "$(running_pod terminated)" --wait=false
  await_stopping
  let_go 0
  job_succeeds terminated
  versions_are $((before + 1))
}

# kill -9, as when a node fails: nobody gives the upload up then, but nothing else is left, and it keeps no
# other backup from its work.
kill_scheduled() {
  local before
  before=$(versions)
  hold from_schedule killed backup-cron-job
  k delete pod "$(running_pod killed)" --force --grace-period=0
  let_go 0
  job_succeeds killed
  [[ $(versions) == $((before + 1)) ]] || fail "not one archive more: $(k8s_objects)"
}

evict_by_hand() {
  local before pod
  before=$(versions)
  hold site_tutor k8s backup
  pod=$(running_pod backup-restore-job)
  k exec "$pod" -- dd if=/dev/zero of=/tmp/large bs=1M count=80
  site_await "the eviction" pod_is_evicted "$pod"
  await_stopping
  # The engine's, when it ended in the time that it has.
  let_go 1 130 137
  says 'evicted the pod'
  [[ $(versions) == "$before" ]] || fail "an archive was made"
  nothing_is_left
}
pod_is_evicted() {
  [[ -n $(k get events --field-selector "involvedObject.name=$1,reason=Evicted" -o name) ]]
}

run_out_of_memory() {
  local before
  before=$(versions)
  hold site_tutor k8s backup
  # The container's memory is also what others in it use. Each of these is smaller than the engine, so it is
  # the engine that the kernel takes.
  # shellcheck disable=SC2016 # for the shell in the pod
  k exec "$(running_pod backup-restore-job)" -- sh -c 'echo 1000 >/proc/1/oom_score_adj
    for _ in $(seq 30); do { head -c 30M /dev/zero && sleep 60; } | tail -c 30M >/dev/null & done
    wait' || true
  let_go 137
  says 'want of memory'
  [[ $(versions) == "$before" ]] || fail "an archive was made"
  nothing_is_left
}

exceed_the_deadline() {
  local before
  before=$(versions)
  site_tutor config save --set BACKUP_K8S_ACTIVE_DEADLINE_SECONDS=8
  hold site_tutor k8s backup
  site_await "the deadline" job_has_failed backup-restore-job
  await_stopping
  # The engine's, when its pod was seen before the Job removed it.
  let_go 1 130
  site_tutor config save --unset BACKUP_K8S_ACTIVE_DEADLINE_SECONDS
  says 'BACKUP_K8S_ACTIVE_DEADLINE_SECONDS'
  versions_are "$before"
  nothing_is_left
}
job_has_failed() { k get job "$1" -o yaml | grep -q DeadlineExceeded; }
