# shellcheck shell=bash
# shellcheck disable=SC2154 # what e2e_site.sh and k8s_site.sh set
# The steps of tests/tutor/k8s-e2e in which a CronJob's schedule does the work.

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
  suspended_are 'backup-cron-job=false prune-cron-job=true restore-cron-job=false verify-cron-job=true'
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

# Old archives go by the rules, and what is left is whole.
prune_and_verify_by_schedule() {
  local before
  before=$(versions)
  ((before > 3)) || fail "there are only $before archives to choose from"
  settings K8S_CRONJOB_PRUNE_ENABLE=true K8S_CRONJOB_VERIFY_ENABLE=true PRUNE_KEEP_LAST=1
  suspended_are 'backup-cron-job=false prune-cron-job=false restore-cron-job=false verify-cron-job=false'
  from_schedule pruned prune-cron-job
  job_succeeds pruned
  (($(versions) < before)) || fail "nothing was removed"
  from_schedule verified verify-cron-job
  job_succeeds verified
  [[ $(job_summaries verified command) == verify ]] || fail "there is no summary of a verification"
  site_tutor k8s restore --dry-run
}
