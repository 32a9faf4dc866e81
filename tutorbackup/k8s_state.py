"""What Jobs, pods and events say, in words that an operator can act on."""

from __future__ import annotations

import datetime
import json
from typing import Any, Dict, Iterable

from . import k8s_objects, k8s_pod
from .k8s_config import K8sConfig

Summary = Dict[str, Any]
# A Job is suspended while it is made. One that still is after a minute was left there.
_FORGOTTEN_SECONDS = 60
_WRONG_USAGE = 2
_KILLED = 137
# Reasons of a container that waits, by which something has to be done; with what.
_WAITING = {
    "ErrImagePull": "the image cannot be pulled",
    "ImagePullBackOff": "the image cannot be pulled",
    "ErrImageNeverPull": "the image is not on the node",
    "InvalidImageName": "BACKUP_DOCKER_IMAGE is no image's name",
    "CreateContainerConfigError": "the container cannot be made",
    "CreateContainerError": "the container cannot be made",
}
_MOUNTING = ("FailedMount", "FailedAttachVolume", "FailedBinding", "ProvisioningFailed")


def has_ended(job: dict[str, Any]) -> bool:
    return bool(_condition(job, "Complete") or _condition(job, "Failed"))


def is_being_deleted(job: dict[str, Any]) -> bool:
    return "deletionTimestamp" in job["metadata"]


def was_forgotten(job: dict[str, Any]) -> bool:
    """A Job that never ran, and is not just being made."""
    if not job["spec"].get("suspend") or (job.get("status") or {}).get("active"):
        return False
    made = datetime.datetime.strptime(made_at(job), "%Y-%m-%dT%H:%M:%SZ")
    age = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - made
    return age.total_seconds() > _FORGOTTEN_SECONDS


def comes_from_file(one: dict[str, Any]) -> bool:
    return k8s_objects.APPLIED in (one["metadata"].get("annotations") or {})


def made_at(one: dict[str, Any]) -> str:
    return str(one["metadata"]["creationTimestamp"])


def owners(one: dict[str, Any]) -> list[str]:
    return [owner["uid"] for owner in one["metadata"].get("ownerReferences") or []]


def has_started(pod: dict[str, Any]) -> bool:
    state = _container_state(pod)
    return "running" in state or "terminated" in state


def has_no_log(refusal: str) -> bool:
    """Whether an API server that gives no log says that there is none, and not that it may not."""
    return "(NotFound)" in refusal or ("(BadRequest)" in refusal and "terminated" in refusal)


def termination(pod: dict[str, Any] | None) -> dict[str, Any]:
    """How the container ended; empty when it did not, or nobody knows."""
    return dict(_container_state(pod or {}).get("terminated") or {})


def summary_of(ended: dict[str, Any]) -> Summary:
    """The engine's, from the termination message; empty when there is none: an older engine, or one
    that was killed."""
    for line in reversed((ended.get("message") or "").splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("type") == "summary":
            return found
    return {}


def why_waiting(pod: dict[str, Any]) -> str:
    scheduled = _condition(pod, "PodScheduled", "False")
    if scheduled:
        message = scheduled.get("message") or scheduled.get("reason") or ""
        return f"no node for the pod yet: {message}"
    waiting = _container_state(pod).get("waiting") or {}
    reason = waiting.get("reason", "")
    if reason not in _WAITING:
        return ""
    text = f"{_WAITING[reason]} ({reason}): {waiting.get('message', '')}"
    if "mage" in reason:
        text += (
            "\n    BACKUP_DOCKER_IMAGE has to be in a registry that the nodes reach: "
            "tutor images push backup; BACKUP_K8S_IMAGE_PULL_SECRETS when it wants a password"
        )
    return text


def why_mounting(events: Iterable[dict[str, Any]]) -> str:
    text = _last_event(events, _MOUNTING)
    if "secret" in text and "not found" in text:
        text += "\n    BACKUP_K8S_SECRET_NAME has to name a Secret that is in this namespace."
    if "Multi-Attach" in text:
        text += (
            "\n    The volume is on another node, with Caddy's pod. The job starts when that pod "
            "has ended, or is where this one is."
        )
    return text


def why_no_pod(events: Iterable[dict[str, Any]]) -> str:
    return _last_event(events, ("FailedCreate",))


def explain(
    site: K8sConfig,
    job: dict[str, Any] | None,
    pod: dict[str, Any] | None,
    ended: dict[str, Any],
    summary: Summary,
) -> str:
    """Why a run ended that did not come to say it itself; empty when it did, or ended well."""
    status = (pod or {}).get("status") or {}
    failed = _condition(job or {}, "Failed")
    if status.get("reason") == "Evicted":
        return f"The node evicted the pod: {status.get('message', '')}"
    if failed.get("reason") == "DeadlineExceeded":
        seconds = site.ours["K8S_ACTIVE_DEADLINE_SECONDS"]
        return (
            f"The job was ended after {seconds} seconds (BACKUP_K8S_ACTIVE_DEADLINE_SECONDS): "
            "raise that, or find out by its log what takes so long."
        )
    # What was killed may also be something that somebody ran beside the engine, which ended itself.
    if ended.get("reason") == "OOMKilled" and not summary:
        return (
            f"The engine was killed for want of memory: the container's limit is {_limit(pod)}. "
            "Raise it (BACKUP_K8S_RESOURCES), or lower BACKUP_THREADS."
        )
    secret = site.ours["K8S_SECRET_NAME"]
    if secret and ended.get("exitCode") == _WRONG_USAGE:
        return (
            f"Secrets are those of the existing Secret {secret}: it has to hold each key that "
            "BACKUP_K8S_SECRET_KEYS names, and that each key that the engine misses."
        )
    if summary or ended.get("exitCode") == 0:
        return ""
    return _explain_without_summary(site, ended, failed.get("message", ""))


def _explain_without_summary(site: K8sConfig, ended: dict[str, Any], message: str) -> str:
    if not ended:
        return f"The pod is gone, and nobody knows how it ended. {message}".rstrip()
    if ended.get("exitCode") == _KILLED:
        return (
            "The engine was killed (status 137): by the node, or because it had not ended "
            f"{site.ours['K8S_TERMINATION_GRACE_PERIOD_SECONDS']} seconds after it was told to "
            "(BACKUP_K8S_TERMINATION_GRACE_PERIOD_SECONDS)."
        )
    if ended.get("reason") in ("StartError", "ContainerCannotRun"):
        return (
            f"The container could not start: {ended.get('message', '')}\n    The image "
            f"{site.image} has to be this plugin's: tutor images build backup, tutor images push "
            "backup"
        )
    return ""


def _limit(pod: dict[str, Any] | None) -> str:
    for container in ((pod or {}).get("spec") or {}).get("containers") or []:
        if container["name"] == k8s_pod.CONTAINER:
            limits = (container.get("resources") or {}).get("limits") or {}
            return str(limits.get("memory", "the node's"))
    return "unknown"


def _container_state(pod: dict[str, Any]) -> dict[str, Any]:
    for container in (pod.get("status") or {}).get("containerStatuses") or []:
        if container["name"] == k8s_pod.CONTAINER:
            return dict(container.get("state") or {})
    return {}


def _condition(one: dict[str, Any], kind: str, status: str = "True") -> dict[str, Any]:
    for condition in (one.get("status") or {}).get("conditions") or []:
        if condition["type"] == kind and condition["status"] == status:
            return dict(condition)
    return {}


def _last_event(events: Iterable[dict[str, Any]], reasons: Iterable[str]) -> str:
    wanted = {*reasons}
    found = [event for event in events if event.get("reason") in wanted]
    if not found:
        return ""
    last = max(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime")))
    return str(last.get("message", ""))
