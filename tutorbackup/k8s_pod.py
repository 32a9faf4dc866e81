"""The pod that runs the engine in a cluster, as plain dicts."""

from __future__ import annotations

import re
from typing import Any, Sequence

from tutor.exceptions import TutorError

from . import engine_config, host_files, k8s_config, k8s_values, values
from .k8s_config import K8sConfig

# Which run it is: one that reads the live site, one that replaces it, one that looks at archives.
LIVE, RESTORE, ARCHIVE = "live", "restore", "archive"

CONTAINER = "backup"
SETTINGS_NAME = "backup-settings"
SECRET_NAME = "backup-secrets"  # noqa: S105 (its name)
SUMMARY_FILE = "/dev/termination-log"
# Open edX's, which is the owner of media.
_USER = 1000
_OVERHEAD = 256 << 20
_PROCESSOR = "250m"
_CADDY = {k8s_values.OWN_LABEL: "caddy"}


def pod_template(
    site: K8sConfig,
    kind: str,
    arguments: Sequence[str],
    settings_name: str = SETTINGS_NAME,
    secret_name: str = "",
) -> dict[str, Any]:
    """`arguments` are the engine's; its settings and secrets are in the objects named."""
    secret = secret_name or site.ours["K8S_SECRET_NAME"] or SECRET_NAME
    volumes, mounts = _volumes(site, kind, settings_name, secret)
    ours = site.ours
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "serviceAccountName": ours["K8S_SERVICE_ACCOUNT_NAME"] or CONTAINER,
        # The engine asks the API server for nothing. An identity of the cloud brings its own token.
        "automountServiceAccountToken": False,
        # Else a Service called mysql would set MYSQL_PORT=tcp://…, which the engine reads.
        "enableServiceLinks": False,
        "hostname": _hostname(site),
        "terminationGracePeriodSeconds": ours["K8S_TERMINATION_GRACE_PERIOD_SECONDS"],
        "securityContext": _merged(_pod_security(site, kind), ours["K8S_POD_SECURITY_CONTEXT"]),
        "containers": [_container(site, kind, arguments, mounts)],
        "volumes": volumes,
    }
    affinity = ours["K8S_AFFINITY"] or _affinity(site, kind)
    optional = {
        "affinity": affinity,
        "nodeSelector": ours["K8S_NODE_SELECTOR"],
        "tolerations": ours["K8S_TOLERATIONS"],
        "priorityClassName": ours["K8S_PRIORITY_CLASS_NAME"],
        "imagePullSecrets": [{"name": name} for name in ours["K8S_IMAGE_PULL_SECRETS"]],
    }
    spec.update({key: value for key, value in optional.items() if value})
    return {"metadata": metadata(site, annotations=ours["K8S_ANNOTATIONS"]), "spec": spec}


def metadata(
    site: K8sConfig, name: str = "", annotations: dict[str, str] | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name} if name else {}
    found["labels"] = {k8s_values.OWN_LABEL: CONTAINER, **site.ours["K8S_LABELS"]}
    if annotations:
        found["annotations"] = dict(annotations)
    return found


def _container(
    site: K8sConfig, kind: str, arguments: Sequence[str], mounts: list[Any]
) -> dict[str, Any]:
    words = [
        *_waits(site, kind),
        arguments[0],
        "--config",
        f"{engine_config.JOB}/{k8s_config.SETTINGS_FILE}",
        # The one command that has no summary but what it prints.
        *([] if arguments[0] == "inspect" else ["--summary-file", SUMMARY_FILE]),
        *arguments[1:],
    ]
    return {
        "name": CONTAINER,
        "image": site.image,
        "command": ["tutor-backup"],
        "args": [_literal(word) for word in words],
        "env": [
            {"name": name, "value": _literal(value)} for name, value in _environment(site).items()
        ],
        "resources": _resources(site),
        "securityContext": _merged(
            _container_security(site, kind), site.ours["K8S_SECURITY_CONTEXT"]
        ),
        "terminationMessagePath": SUMMARY_FILE,
        # When it did not come so far as to write a summary.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }


def _literal(text: str) -> str:
    """Kubernetes puts variables in the place of $(NAME), unless the dollar is doubled."""
    return text.replace("$", "$$")


def _waits(site: K8sConfig, kind: str) -> list[str]:
    """A server of Tutor's own that is only just starting gets a minute."""
    words = []
    for server in ("MYSQL", "MONGODB") if kind != ARCHIVE else ():
        if site.config.get(f"RUN_{server}"):
            host, port = site.config[f"{server}_HOST"], site.config[f"{server}_PORT"]
            words += ["--wait", f"{host}:{port}"]
    return words


def _environment(site: K8sConfig) -> dict[str, str]:
    variables = {
        **site.ours["ENVIRONMENT"],
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        # Archives are named by the day of this zone.
        "TZ": site.ours["K8S_TIME_ZONE"] or "UTC",
        # The engine's messages name commands that the operator has.
        "OPENEDX_BACKUP_FRONT_END": "tutor k8s",
    }
    keys = site.secret_keys()
    for name, (variable, _) in host_files.AWS_FILES.items():
        if name in keys:
            variables[variable] = f"{k8s_config.SECRETS}/{name}"
    return variables


def _volumes(
    site: K8sConfig, kind: str, settings_name: str, secret_name: str
) -> tuple[list[Any], list[Any]]:
    volumes: list[Any] = [
        {"name": "settings", "configMap": {"name": settings_name}},
        # With the group that the pod has, so that a user other than root can read them.
        {"name": "secrets", "secret": {"secretName": secret_name, "defaultMode": 0o440}},
        _scratch(site),
    ]
    mounts: list[Any] = [
        {"name": "settings", "mountPath": engine_config.JOB, "readOnly": True},
        {"name": "secrets", "mountPath": k8s_config.SECRETS, "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 (the container's)
    ]
    if k8s_config.TUTOR_CONFIG_KEY in site.secret_keys() and kind != ARCHIVE:
        # By itself, as the files of a Secret are links. A restore leaves it out, but looks whether
        # an earlier one of it was interrupted.
        mounts.append(
            {
                "name": "secrets",
                "mountPath": engine_config.TUTOR_CONFIG,
                "subPath": k8s_config.TUTOR_CONFIG_KEY,
                "readOnly": True,
            }
        )
    for name, claim, path in _claims(site, kind):
        volumes.append({"name": name, "persistentVolumeClaim": {"claimName": claim}})
        # The API server leaves false out, which would look like a change at each apply.
        read_only = {} if kind == RESTORE else {"readOnly": True}
        mounts.append({"name": name, "mountPath": path, **read_only})
    return volumes, mounts


def _claims(site: K8sConfig, kind: str) -> list[tuple[str, str, str]]:
    """Volumes of the site: name, claim, place in the container."""
    if kind == ARCHIVE:
        return []
    found = [("caddy", "caddy", engine_config.CADDY)] if site.caddy else []
    for number, (folder, claim) in enumerate(site.media.items()):
        found.append((f"media-{number}", claim, f"{engine_config.MEDIA}/{folder}"))
    return found


def _scratch(site: K8sConfig) -> dict[str, Any]:
    """For temporary files; nothing of the engine's needs room there."""
    ours = site.ours
    if not ours["K8S_USE_EPHEMERAL_VOLUMES"]:
        return {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}
    claim = {
        # Those that back volumes up look at the claim, not at the pod.
        "metadata": metadata(site, annotations=ours["K8S_ANNOTATIONS"]),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": ours["K8S_EPHEMERAL_VOLUME_SIZE"]}},
        },
    }
    return {"name": "tmp", "ephemeral": {"volumeClaimTemplate": claim}}


def _as_root(site: K8sConfig, kind: str) -> bool:
    """Caddy runs as root, and its private keys are root's alone."""
    return site.caddy and kind != ARCHIVE


def _pod_security(site: K8sConfig, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {"seccompProfile": {"type": "RuntimeDefault"}}
    if _as_root(site, kind):
        return {**found, "runAsNonRoot": False, "runAsUser": 0, "runAsGroup": 0}
    return {
        **found,
        "runAsNonRoot": True,
        "runAsUser": _USER,
        "runAsGroup": _USER,
        # For the secrets' files, and /tmp where that is a volume.
        "fsGroup": _USER,
        "fsGroupChangePolicy": "OnRootMismatch",
    }


def _container_security(site: K8sConfig, kind: str) -> dict[str, Any]:
    capabilities: dict[str, Any] = {"drop": ["ALL"]}
    added = _capabilities(site, kind)
    if added:
        capabilities["add"] = added
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": capabilities,
    }


def _capabilities(site: K8sConfig, kind: str) -> list[str]:
    """None for a user other than root, and none for reading what is root's own."""
    if not _as_root(site, kind):
        return []
    if kind == RESTORE:
        # What is restored gets its owners and modes back.
        return ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"]
    return ["DAC_OVERRIDE"] if site.media else []


def _affinity(site: K8sConfig, kind: str) -> dict[str, Any]:
    """To Caddy's pod, whose volume can be on one node at a time. Only preferred: with Caddy stopped
    the job runs wherever the volume can go."""
    if not site.caddy or kind == ARCHIVE:
        return {}
    term = {"labelSelector": {"matchLabels": _CADDY}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _resources(site: K8sConfig) -> dict[str, Any]:
    budget = values.bytes_of(site.ours["MEMORY"])
    given: dict[str, Any] = site.ours["K8S_RESOURCES"]
    if not given:
        size = f"{(budget + _OVERHEAD + (1 << 20) - 1) >> 20}Mi"
        return {"requests": {"cpu": _PROCESSOR, "memory": size}, "limits": {"memory": size}}
    limit = (given.get("limits") or {}).get("memory")
    least = budget + _OVERHEAD // 4
    if limit is not None and (values.quantity_in_bytes(limit) or least) < least:
        raise TutorError(
            f"BACKUP_K8S_RESOURCES: a limit of {limit} of memory is too little for BACKUP_MEMORY "
            f"({site.ours['MEMORY']}), beside which the engine needs 64Mi at least"
        )
    return given


def _merged(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    found = {**ours, **theirs}
    return {key: value for key, value in found.items() if value is not None}


def _hostname(site: K8sConfig) -> str:
    """As the archive says where it was made."""
    host = re.sub("[^a-z0-9-]", "-", f"backup-{site.config.get('LMS_HOST', '')}".lower())
    return host[:63].strip("-")
