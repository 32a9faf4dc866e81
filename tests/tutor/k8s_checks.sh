# shellcheck shell=bash
# shellcheck disable=SC2154 # what e2e_site.sh and k8s_site.sh set
# The steps of tests/tutor/k8s-e2e in which all goes well. Each runs in a shell of its own that ends at the
# first error.

# The image, and the site's settings.
new_site_with_image() {
  k8s_new
  k8s_build_image
}

# And what docs/kubernetes.md shows.
accepts_combinations() {
  local folder=$outside/combinations
  $place run "$(site_python)/python3" "$PWD/tests/tutor/render_combinations" "$folder"
  [[ -e $folder/document.yml ]] || fail "nothing of docs/kubernetes.md is among them"
  kubectl apply --dry-run=server --filename="$folder" >"$outside/accepted"
  wc -l "$outside/accepted"
}

# predecessors_pod COMMAND: as the predecessor's objects have it: password and all.
predecessors_pod() {
  cat <<YAML
restartPolicy: OnFailure,
      affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [
        {labelSelector: {matchExpressions: [{key: app.kubernetes.io/name, operator: In, values: [caddy]}]},
         topologyKey: kubernetes.io/hostname}]}},
      containers: [{name: backup, image: "openedx-backup-testbed/busybox:1", command: [/bin/sh, -c],
        args: ["$1"], env: [{name: MYSQL_ROOT_PASSWORD, value: predecessors-password}],
        volumeMounts: [{name: data, mountPath: /caddy/}]}],
      volumes: [{name: data, persistentVolumeClaim: {claimName: caddy}}]
YAML
}

predecessors_cron_job() {
  cat <<YAML
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: $1, labels: {app.kubernetes.io/component: cronjob}}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {spec: {template: {spec: {$(predecessors_pod "python $1.py")}}}}
YAML
}

# The predecessor's Job has run, and is there still.
predecessors_objects() {
  cat <<YAML
apiVersion: batch/v1
kind: Job
metadata: {name: backup-restore-job, labels: {app.kubernetes.io/component: job}}
spec: {template: {spec: {$(predecessors_pod true)}}}
YAML
  predecessors_cron_job backup-cron-job
  predecessors_cron_job restore-cron-job
}

upgrade_from_predecessor() {
  local objects
  k apply -f - < <(predecessors_objects)
  k8s_start
  k wait --for=condition=Complete --timeout=60s job/backup-restore-job
  objects=$(k get cronjobs -o yaml)
  [[ $objects == *tutor-backup* ]] || fail "the CronJobs are not ours"
  [[ $(grep -v last-applied <<<"$objects") != *predecessors-password* ]] ||
    fail "the predecessor's password is still in the CronJobs"
  [[ $objects != *"$site_password"* ]] || fail "a password is in the CronJobs"
  suspended_are 'backup-cron-job=false restore-cron-job=true'
}

suspended_are() {
  local found
  found=$(k get cronjobs -o 'jsonpath={range .items[*]}{.metadata.name}={.spec.suspend} {end}')
  [[ ${found% } == "$1" ]] || fail "suspended: $found"
}

fill_site() {
  site_generator fill --size 10M
  site_fingerprint >"$outside/before.txt"
  wc -l "$outside/before.txt"
}

# versions_are NUMBER: so many archives are in the bucket, and nothing that was begun and not ended.
versions_are() {
  local objects
  objects=$(k8s_objects)
  printf 'in the bucket:\n%s\n' "$objects"
  [[ $(grep -c '^Version ' <<<"$objects") == "$1" ]] || fail "not $1 archives are in the bucket"
  ! grep -v '^Version ' <<<"$objects" | grep . || fail "more than archives is in the bucket"
}
versions() { k8s_objects | grep -c '^Version ' || true; }

# Nothing of a run by hand stays: neither Job and pod nor its settings and secrets.
nothing_is_left() {
  local left
  left=$(k get jobs,pods,secrets,configmaps -o name | grep backup-restore-job || true)
  [[ -z $left ]] || fail "this is left: $left"
}

refuses_without_backup() {
  refuses '[Nn]o .*(backup|archive)' site_tutor k8s restore --yes
  nothing_is_left
}

backup_site() {
  local dates
  dates=$(date -u +%F)
  site_tutor k8s backup | tee "$outside/output"
  grep -q 'Complete' "$outside/output" || fail "the engine's summary was not shown"
  versions_are 1
  # It may have been midnight.
  k8s_objects | grep -Eq "backup\.($dates|$(date -u +%F))\.tar\.xz$" || fail "the archive's name"
  nothing_is_left
  site_tutor k8s backups list
  site_tutor k8s backups verify
  nothing_is_left
}

# The site changes, and has a second version of the day.
backup_again() {
  site_generator change --percent 1
  site_fingerprint >"$outside/changed.txt"
  ! cmp -s "$outside/before.txt" "$outside/changed.txt" || fail "nothing was changed"
  site_tutor k8s backup
  versions_are 2
}

# The newest, after a question at the terminal. What was looked at is what is restored.
restore_newest() {
  refuses '--yes' site_tutor k8s restore
  site_tutor k8s restore --dry-run
  typing 'Go on\?' n 130 site_tutor k8s restore
  site_is_as_in destroyed.txt
  typing 'Go on\?' y 0 site_tutor k8s restore
  site_is_as_in changed.txt
  site_tutor k8s backups verify --against-live
  nothing_is_left
}

restore_version() {
  local version
  site_tutor k8s restore --list-versions | tee "$outside/versions"
  version=$(sed -n 's/^ *version //p' "$outside/versions" | sed -n 2p)
  site_tutor k8s restore --version "$version" --yes
  site_is_as_in before.txt
}

restore_date() {
  local dates=()
  mapfile -t dates < <(k8s_objects | sed -n 's/.*backup\.\([0-9-]*\)\.tar\.xz$/\1/p')
  site_tutor k8s restore --date "${dates[0]}" --yes
  site_is_as_in changed.txt
}

# As docs/kubernetes.md has it: an empty site beside this one, whose bucket it reads.
disaster_drill() {
  local name
  # shellcheck disable=SC2034 # for k8s_site.sh
  local namespace=drill
  site_tutor config save --set K8S_NAMESPACE=drill --set BACKUP_S3_HOST=minio.openedx \
    --set BACKUP_K8S_CRONJOB_BACKUP_ENABLE=false
  for name in mysql mongodb backup; do site_tutor k8s start "$name"; done
  kubectl apply -k "$outside/root/env" -l app.kubernetes.io/component=volume
  site_await "MySQL" site_mysql_answers
  site_await "MongoDB" site_mongodb_answers
  site_tutor k8s backups list
  site_tutor k8s backups verify
  site_tutor k8s restore --dry-run
  site_tutor k8s restore --yes
  site_tutor k8s backups verify --against-live
  site_is_as_in changed.txt
  kubectl delete namespace drill
  site_tutor config save --set K8S_NAMESPACE=openedx --set BACKUP_S3_HOST=minio \
    --set BACKUP_K8S_CRONJOB_BACKUP_ENABLE=true
}

# The operator's own, of another release than the cluster.
with_newer_kubectl() {
  local before
  before=$(versions)
  export TESTBED_KUBECTL=newer
  $place run kubectl version | tee "$outside/kubectl"
  [[ $(sed -nE 's/^(Client|Server) Version: //p' "$outside/kubectl" | sort -u | wc -l) == 2 ]] ||
    fail "kubectl and the cluster are of one release"
  site_tutor k8s backup --only caddy
  versions_are $((before + 1))
  site_tutor k8s backups list | grep -c 'backup\.' || fail "no archive is listed"
  site_tutor k8s restore --dry-run
  refuses 'no archive .*nothing' site_tutor k8s restore --name nothing.tar.xz --yes
  typing 'Go on\?' n 130 site_tutor k8s restore
  nothing_is_left
}

# The settings of a site change by two commands of Tutor's, and by nothing else.
settings() {
  local name arguments=()
  for name in "$@"; do arguments+=(--set "BACKUP_$name"); done
  site_tutor config save "${arguments[@]}"
  site_tutor k8s start
}

# The newest Job of a CronJob, when there is one.
newest_job() {
  k get jobs --sort-by=.metadata.creationTimestamp -o \
    'jsonpath={range .items[*]}{.metadata.name} {.metadata.ownerReferences[0].name}{"\n"}{end}' |
    sed -n "s/ $1\$//p" | tail -n 1
}

# A minute is the shortest that a schedule can be.
backup_by_schedule() {
  local job before deadline=$((SECONDS + 100))
  before=$(versions)
  settings 'K8S_CRONJOB_BACKUP_SCHEDULE=* * * * *'
  until job=$(newest_job backup-cron-job) && [[ -n $job ]]; do
    ((SECONDS < deadline)) || fail "the schedule has made no Job in 100 s"
    sleep 1
  done
  settings 'K8S_CRONJOB_BACKUP_SCHEDULE=0 0 1 1 *'
  job_succeeds "$job"
  versions_are $((before + 1))
  [[ $(k get cronjob backup-cron-job -o 'jsonpath={.spec.schedule}') == '0 0 1 1 *' ]] ||
    fail "the schedule is not the new one"
}

# from_schedule NAME CRON-JOB: a Job as the schedule would make it, now.
from_schedule() { k create job "$1" --from="cronjob/$2"; }

job_succeeds() {
  if ! k wait --for=condition=Complete --timeout=90s "job/$1"; then
    k describe job "$1"
    job_logs "$1"
    fail "the Job $1 did not succeed"
  fi
}
job_fails() {
  if ! k wait --for=condition=Failed --timeout=90s "job/$1"; then
    k describe job "$1"
    job_logs "$1"
    fail "the Job $1 did not fail"
  fi
}
job_logs() { k logs --selector "job-name=$1" --tail=-1 --prefix; }

# job_summaries JOB KEY: of the engine's summary, one line for each pod of the Job's, the oldest first.
job_summaries() {
  k get pods --selector "job-name=$1" --sort-by=.metadata.creationTimestamp -o json | python3 -c '
import json, sys
for pod in json.load(sys.stdin)["items"]:
    for container in pod["status"]["containerStatuses"]:
        message = container["state"]["terminated"].get("message", "")
        found = json.loads(message) if message.startswith("{") else {}
        for key in sys.argv[1].split("."):
            found = (found or {}).get(key)
        print(found)' "$2"
}

# A standby restores what is newest, once.
standby_twice() {
  settings K8S_CRONJOB_RESTORE_ENABLE=true 'K8S_CRONJOB_RESTORE_SCHEDULE=0 0 1 1 *'
  suspended_are 'backup-cron-job=false restore-cron-job=false'
  site_destroy
  from_schedule standby-1 restore-cron-job
  job_succeeds standby-1
  site_is_as_in changed.txt
  [[ $(job_summaries standby-1 skipped) == False ]] || fail "the first was skipped"
  from_schedule standby-2 restore-cron-job
  job_succeeds standby-2
  [[ $(job_summaries standby-2 skipped) == True ]] || fail "the second was not skipped"
  site_is_as_in changed.txt
}
