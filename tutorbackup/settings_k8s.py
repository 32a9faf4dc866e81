"""Settings of `tutor k8s` and of what it runs in the cluster."""

from __future__ import annotations

from typing import Any

from . import k8s_values, values
from .setting import Setting


def _k8s(key: str, default: Any, check: values.Check, meaning: str) -> Setting:
    return Setting(f"K8S_{key}", default, check, meaning, "k8s")


_CRONJOBS = (
    _k8s("CRONJOB_HISTORYLIMIT_FAILURE", 1, values.count(0), "failed jobs that are kept"),
    _k8s("CRONJOB_HISTORYLIMIT_SUCCESS", 3, values.count(0), "finished jobs that are kept"),
    _k8s("CRONJOB_STARTING_DEADLINE_SECONDS", 900, values.count(0), "how late a job may start"),
    _k8s("CRONJOB_BACKUP_ENABLE", True, values.boolean, "whether backups are due"),
    _k8s("CRONJOB_BACKUP_SCHEDULE", "0 0 * * *", values.cron_line, "when"),
    _k8s("CRONJOB_RESTORE_ENABLE", False, values.boolean, "whether restores are due (a standby)"),
    _k8s("CRONJOB_RESTORE_SCHEDULE", "30 0 * * *", values.cron_line, "when"),
    _k8s(
        "CRONJOB_PRUNE_ENABLE", False, values.boolean, "whether old archives are removed by rules"
    ),
    _k8s("CRONJOB_PRUNE_SCHEDULE", "0 6 * * *", values.cron_line, "when"),
    _k8s("CRONJOB_VERIFY_ENABLE", False, values.boolean, "whether the newest archive is read back"),
    _k8s("CRONJOB_VERIFY_SCHEDULE", "0 7 * * sun", values.cron_line, "when"),
    _k8s(
        "CRONJOB_CONCURRENCYPOLICY",
        "Forbid",
        values.choice("Allow", "Forbid", "Replace"),
        "Forbid, Allow, Replace",
    ),
    _k8s(
        "TIME_ZONE",
        "",
        k8s_values.time_zone_or_none,
        "time zone of the schedules, and of the days in archives' names; empty: UTC",
    ),
    Setting(
        "RESTORE_MAX_AGE",
        "2d",
        values.age_or_none,
        "the scheduled restore refuses an archive that is older: 12h, 2d, 1w; empty: takes any",
        "k8s",
    ),
)

_DATA = (
    _k8s(
        "SECRET_NAME",
        "",
        k8s_values.object_name_or_none,
        "an existing Secret with the passwords and keys (docs/kubernetes.md); empty: "
        "`backup-secrets`, made from the settings",
    ),
    _k8s(
        "SECRET_KEYS",
        [],
        k8s_values.secret_keys,
        "what the existing Secret holds; empty: what the settings say that there is",
    ),
    _k8s(
        "MEDIA_CLAIMS",
        {},
        k8s_values.claims,
        "volume claims of media, as `{openedx-media: CLAIM}`; they are in the archive by the "
        "folder's name",
    ),
    _k8s(
        "USE_EPHEMERAL_VOLUMES",
        False,
        values.boolean,
        "`/tmp` on a volume of the job's own (nothing needs the room)",
    ),
    _k8s("EPHEMERAL_VOLUME_SIZE", "10Gi", values.quantity, "its size"),
)

_JOB = (
    _k8s(
        "BACKOFF_LIMIT",
        2,
        values.count(0),
        "how often a failed scheduled job is tried again",
    ),
    _k8s(
        "ACTIVE_DEADLINE_SECONDS",
        43200,
        values.count(1),
        "a job is ended when it has taken so long, all tries together",
    ),
    _k8s(
        "TTL_SECONDS_AFTER_FINISHED",
        "",
        values.count_or_none,
        "a job is removed so long after its end; empty: the history limits say, and a day for "
        "one that a killed command left",
    ),
    _k8s(
        "TERMINATION_GRACE_PERIOD_SECONDS",
        120,
        values.count(1),
        "time to end cleanly after SIGTERM",
    ),
)

_POD = (
    _k8s(
        "SERVICE_ACCOUNT_NAME",
        "",
        k8s_values.object_name_or_none,
        "an existing service account; empty: `backup`, which is made",
    ),
    _k8s(
        "SERVICE_ACCOUNT_ANNOTATIONS",
        {},
        k8s_values.annotation_texts,
        "annotations of the account that is made, for IRSA or workload identity",
    ),
    _k8s("IMAGE_PULL_SECRETS", [], k8s_values.object_names, "names of Secrets of the registry"),
    _k8s(
        "RESOURCES",
        {},
        k8s_values.mapping,
        "requests and limits; empty: memory for `BACKUP_MEMORY` and 256Mi more, a quarter of a "
        "processor",
    ),
    _k8s(
        "POD_SECURITY_CONTEXT", {}, k8s_values.mapping, "laid over the pod's; null removes a field"
    ),
    _k8s("SECURITY_CONTEXT", {}, k8s_values.mapping, "the same of the container"),
    _k8s("NODE_SELECTOR", {}, k8s_values.label_texts, "labels that the node has to have"),
    _k8s("TOLERATIONS", [], k8s_values.mappings, "tolerations"),
    _k8s(
        "AFFINITY",
        {},
        k8s_values.mapping,
        "affinity, instead of the preferred one to Caddy's pod, which has the volume",
    ),
    _k8s("PRIORITY_CLASS_NAME", "", k8s_values.object_name_or_none, "priority class"),
    _k8s("LABELS", {}, k8s_values.more_labels, "more labels, of all objects and pods"),
    _k8s(
        "ANNOTATIONS",
        {},
        k8s_values.annotation_texts,
        "annotations of the pods and their volume",
    ),
)

K8S = (*_CRONJOBS, *_DATA, *_JOB, *_POD)
