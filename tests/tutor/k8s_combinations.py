"""Every combination of what shapes the objects in a cluster, without rendering Tutor's environment
for each."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any, Iterator

import yaml

from tutorbackup import k8s_objects
from tutorbackup.k8s_config import K8sConfig
from tutorbackup.k8s_pod import ARCHIVE, LIVE, RESTORE

NAMESPACE = "openedx"
SECRETS = ("a$(b)${c}'d\"e\\f #g: %j`k`;&|<>\n\té€😀\x7f\u2028", "m0ngo'\"$", "AKIA", "s3$'\"\\")
RICH: dict[str, Any] = {
    "MYSQL_ROOT_PASSWORD": SECRETS[0],
    "MONGODB_USERNAME": "null",
    "MONGODB_PASSWORD": SECRETS[1],
    "BACKUP_S3_ACCESS_KEY": SECRETS[2],
    "BACKUP_S3_SECRET_ACCESS_KEY": SECRETS[3],
    "BACKUP_S3_TAGS": ["site=campus", "kind=backup"],
    "BACKUP_MYSQL_DATABASES": ["openedx", "o p'e\"n$e\\d#x"],
    "BACKUP_MONGODB_DATABASES": ["openedx", "1e3"],
    "BACKUP_PING_URL": "https://hc-ping.com/uuid",
    "BACKUP_METRICS_LABELS": ["site=campus"],
    "BACKUP_K8S_CRONJOB_BACKUP_SCHEDULE": "*/15 2-4 * jan-jun 1-7",
    "BACKUP_K8S_CRONJOB_RESTORE_ENABLE": True,
    "BACKUP_K8S_CRONJOB_CONCURRENCYPOLICY": "Replace",
    "BACKUP_K8S_CRONJOB_PRUNE_ENABLE": True,
    "BACKUP_PRUNE_KEEP_DAILY": 7,
    "BACKUP_ENVIRONMENT": {"https_proxy": "http://me:a$(b)'c@proxy:3128"},
    "BACKUP_K8S_TIME_ZONE": "Europe/Zurich",
    "BACKUP_K8S_MEDIA_CLAIMS": {"openedx-media": "media", "openedx-media-private": "private"},
    "BACKUP_K8S_SERVICE_ACCOUNT_ANNOTATIONS": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:x"},
    "BACKUP_K8S_IMAGE_PULL_SECRETS": ["registry"],
    "BACKUP_K8S_RESOURCES": {"requests": {"cpu": 1}, "limits": {"memory": "2Gi", "cpu": "4"}},
    "BACKUP_K8S_POD_SECURITY_CONTEXT": {"supplementalGroups": [2000]},
    "BACKUP_K8S_SECURITY_CONTEXT": {"privileged": False},
    "BACKUP_K8S_NODE_SELECTOR": {"example.org/pool": "1"},
    "BACKUP_K8S_TOLERATIONS": [{"key": "backup", "operator": "Exists", "effect": "NoSchedule"}],
    "BACKUP_K8S_PRIORITY_CLASS_NAME": "system-cluster-critical",
    "BACKUP_K8S_TTL_SECONDS_AFTER_FINISHED": 600,
    "BACKUP_K8S_LABELS": {"float": "1e3", "velero.io/exclude-from-backup": "true"},
    "BACKUP_K8S_ANNOTATIONS": {"k8up.io/backup": False, "note": "a: 'b'\n# c\té€😀"},
}
# So that no setting of the engine's is left out.
RARE: dict[str, Any] = {
    "ENABLE_HTTPS": True,
    "ENABLE_WEB_PROXY": True,
    "MONGODB_AUTH_MECHANISM": "SCRAM-SHA-256",
    "MONGODB_REPLICA_SET": "rs0",
    "BACKUP_LOG_LEVEL": "debug",
    "BACKUP_THREADS": 2,
    "BACKUP_MONGORESTORE_ADDITIONAL_OPTIONS": "-j 1",
    "BACKUP_METRICS_PUSHGATEWAY_URL": "http://push.example.org:9091",
    "BACKUP_WEBHOOK_URL": "https://hooks.example.org",
    "BACKUP_S3_HOST": "s3.example.org",
    "BACKUP_S3_REGION_NAME": "eu",
    "BACKUP_S3_SESSION_TOKEN": "t",
    "BACKUP_S3_SSE_CUSTOMER_KEY": "A" * 43 + "=",
    "BACKUP_S3_STORAGE_CLASS": "STANDARD_IA",
    "BACKUP_S3_OBJECT_LOCK_MODE": "GOVERNANCE",
    "BACKUP_S3_OBJECT_LOCK_DAYS": 30,
    **{f"BACKUP_PRUNE_KEEP_{rule}": 3 for rule in ("LAST", "HOURLY", "DAILY", "WEEKLY")},
    **{f"BACKUP_PRUNE_KEEP_{rule}": 3 for rule in ("MONTHLY", "YEARLY")},
    "BACKUP_PRUNE_KEEP_WITHIN": "2w",
}
_YES_NO = (True, False)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "kubernetes.md"


def document_blocks() -> list[dict[str, Any]]:
    """What docs/kubernetes.md shows in YAML."""
    found = re.findall("```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return [dict(yaml.safe_load(text)) for text in found]


def combinations(config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
    """Name, settings and objects of each. `config`: a site's, complete."""
    proxies = ((True, True), (False, True), (False, False))
    for number, (mysql, mongodb, (https, proxy), volume, rich) in enumerate(
        itertools.product(_YES_NO, _YES_NO, proxies, _YES_NO, _YES_NO)
    ):
        changes = {
            "K8S_NAMESPACE": NAMESPACE,
            "RUN_MYSQL": mysql,
            "RUN_MONGODB": mongodb,
            "ENABLE_HTTPS": https,
            "ENABLE_WEB_PROXY": proxy,
            "BACKUP_K8S_USE_EPHEMERAL_VOLUMES": volume,
            **(RICH if rich else {}),
        }
        settings = {**config, **changes}
        yield f"n{number}", settings, _objects(K8sConfig(settings))


def _objects(site: K8sConfig) -> list[dict[str, Any]]:
    found = [*k8s_objects.all_objects(site), k8s_objects.restore_job_for_gitops(site)]
    # A Job of the real name may be there, and cannot be changed.
    found[-1]["metadata"]["name"] += "-gitops"
    for kind in (LIVE, RESTORE, ARCHIVE):
        job = k8s_objects.manual_job(site, kind, ["verify", "--name=$(X)"], "settings", "secrets")
        job["metadata"]["name"] += f"-{kind}"
        found.append(job)
    return found
