# shellcheck shell=bash
# shellcheck disable=SC2154 # what e2e_site.sh sets
# A site of Tutor's in the testbed's cluster, for tests/tutor/k8s-e2e. Source it after e2e_site.sh, whose
# functions reach the cluster's servers then. Tutor's environment and the image's builder are Docker's.

cluster=testbed/kubernetes/cluster
# shellcheck disable=SC2034 # for e2e_site.sh
place=$cluster

k8s_testbed_up() {
  site_testbed_up
  # A run that was killed may have left its site.
  $cluster down 8>&-
  $cluster up 8>&-
  eval "$($cluster env)"
  $engine images minio 8>&-
}

k8s_testbed_down() {
  local status=0
  $cluster down || status=1
  site_testbed_down || status=1
  return "$status"
}

# k ARGUMENT…: kubectl in the site's namespace.
namespace=openedx
k() { kubectl --namespace "$namespace" "$@"; }

site_address() { k get service "$1" -o 'jsonpath={.spec.clusterIP}'; }

site_container_logs() {
  local pod
  k get all,persistentvolumeclaims -o wide
  k get events --sort-by=.lastTimestamp | tail -n 60
  for pod in $(k get pods -o name); do
    echo "--- $pod"
    k logs --tail 40 --all-containers "$pod"
  done
}

# k8s_new: a namespace with an empty site of $release. What of Tutor's the tests do not need has no pods.
k8s_new() {
  local name
  site_new
  cat >"$outside/plugins/cluster.yml" <<YAML
name: cluster
version: 1.0.0
patches:
  k8s-override: |
$(for name in cms cms-worker lms lms-worker meilisearch redis smtp; do
    [[ $name != smtp ]] || printf '    {%% if RUN_SMTP %%}\n'
    printf '    ---\n    apiVersion: apps/v1\n    kind: Deployment\n'
    printf '    metadata: {name: %s}\n    spec: {replicas: 0}\n' "$name"
  done)
    {% endif %}
YAML
  site_configure
  site_tutor plugins enable cluster
  site_configure_bucket
  kubectl create namespace openedx
  # shellcheck disable=SC2046 # a list
  $cluster images $(for name in mysql mongodb caddy minio; do $engine image "$name"; done)
}

# The engine's image, as Tutor builds it. Docker holds what is left of an earlier build.
k8s_build_image() {
  place=$engine site_tutor images build backup
  $cluster images "$(site_tutor config printvalue BACKUP_DOCKER_IMAGE)"
}

# An S3 server that keeps its data, with an empty bucket that keeps versions.
k8s_start_bucket() {
  k apply -f - <<YAML
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: minio}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Secret
metadata: {name: minio}
stringData: {password: "$site_password"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: minio}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: minio}}
  template:
    metadata: {labels: {app: minio}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: minio
          image: $($engine image minio)
          env: [{name: MINIO_ROOT_PASSWORD, valueFrom: {secretKeyRef: {name: minio, key: password}}}]
          # Stopped, it shall hang, and not be taken out of the service.
          readinessProbe: {httpGet: {path: /minio/health/ready, port: 9000}, periodSeconds: 1, failureThreshold: 1000}
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: minio}}]
---
apiVersion: v1
kind: Service
metadata: {name: minio}
spec: {selector: {app: minio}, ports: [{port: 9000}]}
YAML
}

k8s_start() {
  site_tutor k8s start
  k8s_start_bucket
  site_await "MySQL" site_mysql_answers
  site_await "MongoDB" site_mongodb_answers
  site_await "MinIO" site_bucket_is_made
  site_await "Caddy's certificates" k8s_caddy_is_settled
}

# The folder behind the claim of that name.
k8s_volume() {
  kubectl get persistentvolume "$(k get persistentvolumeclaim "$1" -o 'jsonpath={.spec.volumeName}')" \
    -o 'jsonpath={.spec.local.path}'
}

k8s_caddy_is_settled() { site_caddy_has_settled "$(k8s_volume caddy)" < <(k logs deployment/caddy); }

site_fingerprint() {
  site_generator fingerprint --caddy "$(k8s_volume caddy)" | site_without_notes
}
site_destroy() { site_generator destroy --caddy "$(k8s_volume caddy)"; }

# k8s_scale DEPLOYMENT NUMBER: and until it is so.
k8s_scale() {
  local selector
  selector=$(k get deployment "$1" -o json | python3 -c 'import json, sys
labels = json.load(sys.stdin)["spec"]["selector"]["matchLabels"]
print(",".join("=".join(item) for item in labels.items()))')
  k scale deployment "$1" --replicas="$2"
  if (($2 == 0)); then
    k wait --for=delete pods --selector "$selector" --timeout=60s
  else
    k rollout status "deployment/$1" --timeout=60s
  fi
}

# k8s_bucket QUERY: the bucket's answer to a request that lists, as `versions` and `uploads`.
k8s_bucket() {
  local quoted=${site_password//\\/\\\\}
  $cluster run curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
    -K <(printf 'user = "testbed:%s"\n' "${quoted//\"/\\\"}") \
    "http://$(site_address minio):9000/campus?$1="
}

# The versions of all objects, and uploads that were begun and not ended.
k8s_objects() {
  { k8s_bucket versions && k8s_bucket uploads; } |
    { grep -oE '<(Version|DeleteMarker|Upload)><Key>[^<]*' || [[ $? == 1 ]]; } | sed 's/<Key>/ /; s/<//; s/>//'
}

# k8s_freeze SIGNAL: STOP makes the S3 server hang, CONT lets it go on. Inside, no other processes are seen.
k8s_freeze() { $cluster run pkill --exact --signal "$1" minio; }

# k8s_stop_in_the_middle FILE: stops it in the middle of the next backup: when MySQL is being read, the upload
# has been begun. It makes the file when it has begun to watch.
k8s_stop_in_the_middle() {
  $cluster run python3 - "$CACHE/kubernetes/run/pods" "$1" <<'PYTHON'
import glob, os, signal, subprocess, sys, time
server = int(subprocess.check_output(["pgrep", "--exact", "minio"]))
def logs(): return set(glob.glob(sys.argv[1] + "/openedx_*/backup/*.log"))
before, deadline = logs(), time.monotonic() + 60
open(sys.argv[2], "w").close()
def reads(log):
    with open(log, "rb") as lines:
        return b" readers in transactions" in lines.read()
while not (found := next(filter(reads, logs() - before), None)):
    if time.monotonic() > deadline:
        sys.exit("no backup has read MySQL in 60 s")
    time.sleep(0.001)
os.kill(server, signal.SIGSTOP)
with open(sys.argv[2], "w") as watching:
    watching.write(found)
PYTHON
}

# k8s_engine_is_stopping FILE: the engine of that log (see above) says so, or its pod is gone.
k8s_engine_is_stopping() {
  local log
  log=$(<"$1")
  # shellcheck disable=SC2016 # for the shell there
  $cluster run sh -c '! test -e "$1" || grep -q "a second signal ends the run" "$1"' - "$log"
}
