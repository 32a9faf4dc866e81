"""The objects in a cluster, as plain dicts, and the files in env/plugins/backup/k8s/ with them."""

from __future__ import annotations

import base64
import re
from typing import Any, Iterable, Sequence

import yaml

from . import cron, k8s_pod
from .k8s_config import K8sConfig
from .k8s_pod import ARCHIVE, CONTAINER, LIVE, RESTORE, metadata

BACKUP_CRON_JOB = "backup-cron-job"
RESTORE_CRON_JOB = "restore-cron-job"
PRUNE_CRON_JOB = "prune-cron-job"
VERIFY_CRON_JOB = "verify-cron-job"
JOB = "backup-restore-job"
# The engine's statuses that another try cannot change: wrong usage, no such archive, a damaged one.
_FINAL_STATUSES = [2, 4, 5]
# A standby keeps its own names and secrets.
_STANDBY = ["restore", "--yes", "--skip-applied=true", "--exclude=config"]
_A_DAY = 86400
# An annotation of what comes from a file, and so may be made again by whoever applies that.
APPLIED = "tutor-contrib-backup/applied"
# An annotation of a run by a command: the name of its settings.
RUN = "tutor-contrib-backup/run"


def all_objects(site: K8sConfig) -> list[dict[str, Any]]:
    """What `tutor k8s start` applies."""
    ours = site.ours
    found = [config_map(site, k8s_pod.SETTINGS_NAME)]
    if not ours["K8S_SECRET_NAME"]:
        found.append(secret(site, k8s_pod.SECRET_NAME))
    if not ours["K8S_SERVICE_ACCOUNT_NAME"]:
        found.append(service_account(site))
    oldest = [f"--max-age={ours['RESTORE_MAX_AGE']}"] if ours["RESTORE_MAX_AGE"] else []
    found.append(_cron_job(site, BACKUP_CRON_JOB, "BACKUP", LIVE, ["backup"]))
    found.append(_cron_job(site, RESTORE_CRON_JOB, "RESTORE", RESTORE, [*_STANDBY, *oldest]))
    found.append(_cron_job(site, PRUNE_CRON_JOB, "PRUNE", ARCHIVE, ["prune", "--yes"]))
    found.append(_cron_job(site, VERIFY_CRON_JOB, "VERIFY", ARCHIVE, ["verify"]))
    return found


def config_map(site: K8sConfig, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(site, name),
        "data": site.public_files(),
    }


def secret(site: K8sConfig, name: str) -> dict[str, Any]:
    encoded = {
        key: base64.b64encode(content).decode("ascii")
        for key, content in site.secret_files().items()
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": metadata(site, name),
        "data": encoded,
    }


def service_account(site: K8sConfig) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(site, CONTAINER, site.ours["K8S_SERVICE_ACCOUNT_ANNOTATIONS"]),
        "automountServiceAccountToken": False,
    }


def manual_job(
    site: K8sConfig, kind: str, arguments: Sequence[str], settings_name: str, secret_name: str
) -> dict[str, Any]:
    """A run by hand: suspended, until its settings are there too, and not tried again, as somebody
    is looking."""
    template = k8s_pod.pod_template(site, kind, arguments, settings_name, secret_name)
    spec = {**_job_spec(site, template), "suspend": True, "backoffLimit": 0}
    spec.setdefault("ttlSecondsAfterFinished", _A_DAY)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(site, JOB, {RUN: settings_name}),
        "spec": spec,
    }


def _cron_job(
    site: K8sConfig, name: str, which: str, kind: str, arguments: Sequence[str]
) -> dict[str, Any]:
    ours = site.ours
    spec = {
        "schedule": cron.for_kubernetes(ours[f"K8S_CRONJOB_{which}_SCHEDULE"]),
        "suspend": not ours[f"K8S_CRONJOB_{which}_ENABLE"],
        "concurrencyPolicy": ours["K8S_CRONJOB_CONCURRENCYPOLICY"],
        "startingDeadlineSeconds": ours["K8S_CRONJOB_STARTING_DEADLINE_SECONDS"],
        "successfulJobsHistoryLimit": ours["K8S_CRONJOB_HISTORYLIMIT_SUCCESS"],
        "failedJobsHistoryLimit": ours["K8S_CRONJOB_HISTORYLIMIT_FAILURE"],
        "jobTemplate": {
            "metadata": metadata(site),
            "spec": _job_spec(site, k8s_pod.pod_template(site, kind, arguments)),
        },
    }
    if ours["K8S_TIME_ZONE"]:
        spec["timeZone"] = ours["K8S_TIME_ZONE"]
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(site, name),
        "spec": spec,
    }


def _job_spec(site: K8sConfig, template: dict[str, Any]) -> dict[str, Any]:
    ours = site.ours
    spec = {
        "backoffLimit": ours["K8S_BACKOFF_LIMIT"],
        "activeDeadlineSeconds": ours["K8S_ACTIVE_DEADLINE_SECONDS"],
        # From Kubernetes 1.26 on; before, the API server leaves it out, and each failure counts.
        "podFailurePolicy": {
            "rules": [
                # An eviction, a drained node: the pod did nothing wrong.
                {
                    "action": "Ignore",
                    "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                },
                {
                    "action": "FailJob",
                    "onExitCodes": {
                        "containerName": CONTAINER,
                        "operator": "In",
                        "values": _FINAL_STATUSES,
                    },
                },
            ]
        },
        "template": template,
    }
    if ours["K8S_TTL_SECONDS_AFTER_FINISHED"]:
        spec["ttlSecondsAfterFinished"] = ours["K8S_TTL_SECONDS_AFTER_FINISHED"]
    return spec


def restore_job_for_gitops(site: K8sConfig) -> dict[str, Any]:
    """A restore of the newest complete archive, for those who apply files: suspended, and with the
    settings that are in the cluster. It stays when it has ended: where something puts back what the
    file says, it would be made again, and restore again."""
    arguments = ["restore", "--yes", "--exclude=config"]
    job = manual_job(site, RESTORE, arguments, k8s_pod.SETTINGS_NAME, "")
    job["spec"].pop("ttlSecondsAfterFinished")
    job["metadata"].setdefault("annotations", {})[APPLIED] = "by-file"
    job["metadata"]["namespace"] = site.namespace
    return job


_PLAIN = re.compile("[A-Za-z]{2}[A-Za-z./-]*")


class _Dumper(yaml.SafeDumper):
    """Quotes all but words: a text could be a number to another reader of YAML (1e3)."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else '"'
        if _PLAIN.fullmatch(text):
            style = ""  # As the words of YAML that are none (yes, null) are known to PyYAML.
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(str, _Dumper.represent_text)


def to_yaml(objects: Iterable[dict[str, Any]]) -> str:
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, width=1000)
