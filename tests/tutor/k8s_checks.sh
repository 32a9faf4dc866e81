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
  suspended_are 'backup-cron-job=false prune-cron-job=true restore-cron-job=true verify-cron-job=true'
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
  site_tutor k8s backups inspect --tables | tee "$outside/inspected"
  grep -q courseware_studentmodule "$outside/inspected" || fail "the archive's tables are not shown"
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

# As docs/kubernetes.md has it: an empty site beside this one, with a Tutor root of its own, whose bucket it
# reads.
disaster_drill() {
  local name
  # shellcheck disable=SC2034 # for k8s_site.sh
  local namespace=drill root=drill
  $cluster run-as-user sh -c "mkdir $site/drill && cp $site/root/config.yml $site/drill"
  site_tutor config save --set K8S_NAMESPACE=drill --set LMS_HOST=drill.test --set CMS_HOST=studio.drill.test \
    --set BACKUP_K8S_CRONJOB_BACKUP_ENABLE=false --set BACKUP_K8S_CRONJOB_PRUNE_ENABLE=false \
    --set BACKUP_PING_URL= --set BACKUP_WEBHOOK_URL= --set BACKUP_METRICS_PUSHGATEWAY_URL= \
    --set BACKUP_K8S_CRONJOB_VERIFY_ENABLE=false --set BACKUP_K8S_CRONJOB_RESTORE_ENABLE=false \
    --set RUN_SMTP=false --set SMTP_HOST=localhost --set BACKUP_S3_HOST=minio.openedx
  for name in mysql mongodb backup; do site_tutor k8s start "$name"; done
  kubectl apply -k "$outside/drill/env" -l app.kubernetes.io/component=volume
  site_await "MySQL" site_mysql_answers
  site_await "MongoDB" site_mongodb_answers
  site_tutor k8s backups list
  site_tutor k8s backups verify
  site_tutor k8s restore --dry-run
  site_tutor k8s restore --yes
  site_tutor k8s backups verify --against-live
  site_is_as_in changed.txt
  kubectl delete namespace drill
}

# By an account that has the rights of docs/kubernetes.md and no others.
with_the_documented_role() {
  local before
  before=$(versions)
  $place run "$(site_python)/python3" -c 'import sys, yaml
found = yaml.safe_load_all(open(sys.argv[1]))
print(yaml.safe_dump_all(one for one in found if one["kind"] == "Role"))' "$outside/combinations/document.yml" |
    k apply -f -
  k create rolebinding backup-operator --role=backup-operator --user=operator
  $place run "$(site_python)/python3" -c 'import sys, yaml
config = yaml.safe_load(open(sys.argv[1]))
for user in config["users"]:
    user["user"]["as"] = "operator"
yaml.safe_dump(config, open(sys.argv[2], "w"))' "$KUBECONFIG" "$outside/operator.config"
  chmod a+r "$outside/operator.config"
  export TESTBED_KUBECONFIG=$site/operator.config
  $place run kubectl auth whoami | tee "$outside/whoami"
  grep -q operator "$outside/whoami" || fail "it is not the operator who runs commands"
  ! $place run kubectl --namespace openedx get secrets || fail "the operator may list secrets"
  site_tutor k8s backup --only caddy
  site_tutor k8s backups list
  site_tutor k8s restore --only caddy --yes --restart
  site_tutor k8s restore --only caddy --yes --stop-services
  hold typing 'backing up to' ^C 130 site_tutor k8s backup
  await_stopping
  let_go 0
  unset TESTBED_KUBECONFIG
  versions_are $((before + 1))
  nothing_is_left
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
