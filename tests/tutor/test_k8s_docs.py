"""docs/kubernetes.md: what it shows is what is there."""

from __future__ import annotations

from typing import Any

import pytest
from k8s_combinations import DOCUMENT, document_blocks
from k8s_testing import read_objects, run_that_ends

from tutorbackup import k8s_values

DEPLOYMENT = {"metadata": {"name": "lms"}, "spec": {"replicas": 1}}
# What kubectl asks the API server for, by its verb.
GETS, LISTS = {"get"}, {"list"}
WAITS = {"get", "list", "watch"}


def block(key: str) -> dict[str, Any]:
    (found,) = [one for one in document_blocks() if key in (one.get("kind"), *one)]
    return found


def allowed() -> set[tuple[str, str]]:
    return {
        (resource, verb)
        for rule in block("Role")["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def kinds(words: list[str]) -> list[str]:
    found = [word.partition("/")[0] for word in words[1:] if not word.startswith("--")]
    return [kind if kind.endswith("s") else kind + "s" for kind in found if kind != "restart"]


def needed(call: dict[str, Any]) -> set[tuple[str, str]]:
    words = call["arguments"][1:]
    verb = words[0]
    if verb == "delete" and words[1].startswith("--raw="):
        return {("jobs", "delete")}
    if verb in ("create", "apply"):
        kind = call["input"].partition('"kind": "')[2].partition('"')[0].lower() + "s"
        # What is applied is looked for first.
        return {(kind, "create"), *([(kind, "get")] if verb == "apply" else [])}
    if verb == "logs":
        return {("pods", "get"), ("pods/log", "get")}
    if verb == "scale":
        return {
            ("deployments", "get"),
            ("deployments/scale", "get"),
            ("deployments/scale", "patch"),
        }
    if verb == "rollout":
        return {("deployments", "get"), ("deployments", "patch")}
    asked = {
        "get": GETS if "/" in words[1] else LISTS,
        "patch": {"get", "patch"},
        "wait": WAITS,
        # It is not looked for first.
        "delete": {"delete"} | (WAITS if "--wait=true" in words else set()),
    }[verb]
    return {(kind, one) for kind in kinds(words) for one in asked}


def test_the_role_allows_all_that_commands_do(site: Any, cluster: Any) -> None:
    asked: set[tuple[str, str]] = set()
    cluster.play(**run_that_ends(), deployments=[DEPLOYMENT])
    for command in (
        ("backup",),
        ("restore", "--yes", "--restart"),
        ("restore", "--yes", "--stop-services"),
        ("backups", "list"),
    ):
        assert site.tutor("k8s", *command).exit_code == 0
    for call in cluster.calls():
        asked |= needed(call)
    assert asked <= allowed()
    # Nothing is granted for no reason, but what waiting and explaining need now and then.
    assert {resource for resource, _ in allowed() - asked} <= {
        "jobs",
        "pods",
        "events",
        "deployments/scale",
    }


def test_the_network_policy_is_the_pods(site: Any) -> None:
    objects = read_objects(site.path("plugins", "backup", "k8s", "objects.yml").read_text())
    template = objects["CronJob/backup-cron-job"]["spec"]["jobTemplate"]["spec"]["template"]
    chosen = block("NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    assert chosen.items() <= template["metadata"]["labels"].items()


def test_annotations_and_labels_for_velero_and_k8up(site: Any) -> None:
    settings = block("BACKUP_K8S_ANNOTATIONS")
    site.set(**settings, BACKUP_K8S_USE_EPHEMERAL_VOLUMES=True, ENABLE_HTTPS=True)
    site.render()
    objects = read_objects(site.path("plugins", "backup", "k8s", "objects.yml").read_text())
    excluded = settings["BACKUP_K8S_ANNOTATIONS"]["backup.velero.io/backup-volumes-excludes"]
    for one in objects.values():
        assert one["metadata"]["labels"]["velero.io/exclude-from-backup"] == "true"
    for name in ("backup-cron-job", "restore-cron-job"):
        template = objects[f"CronJob/{name}"]["spec"]["jobTemplate"]["spec"]["template"]
        assert template["metadata"]["annotations"] == settings["BACKUP_K8S_ANNOTATIONS"]
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        assert {*volumes} == {*excluded.split(",")}
        claim = volumes["tmp"]["ephemeral"]["volumeClaimTemplate"]["metadata"]
        assert claim["annotations"]["k8up.io/backup"] == "false"
        assert claim["labels"]["velero.io/exclude-from-backup"] == "true"


@pytest.mark.parametrize("key", k8s_values.SECRET_KEYS)
def test_every_key_of_the_secret_is_explained(key: str) -> None:
    assert f"`{key}`" in DOCUMENT.read_text()
