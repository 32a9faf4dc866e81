"""The pods that Kubernetes is given: users and rights, resources, volumes, what is tried again."""

from __future__ import annotations

from typing import Any

import pytest
from k8s_testing import (
    CRON_JOBS,
    container,
    engine_arguments,
    engine_settings,
    mounts,
    rendered,
    template_of,
    volumes,
)
from tutor.exceptions import TutorError


@pytest.mark.parametrize("mysql", [True, False])
@pytest.mark.parametrize("mongodb", [True, False])
def test_servers_of_tutors_own_are_waited_for(site: Any, mysql: bool, mongodb: bool) -> None:
    objects = rendered(
        site,
        RUN_MYSQL=mysql,
        RUN_MONGODB=mongodb,
        MYSQL_HOST="db.example.org",
        MONGODB_HOST="mongo",
    )
    for name in CRON_JOBS:
        words = engine_arguments(template_of(objects, name))
        waits = [words[at + 1] for at, word in enumerate(words) if word == "--wait"]
        assert waits == ["db.example.org:3306"] * mysql + ["mongo:27017"] * mongodb
    told = engine_settings(objects)
    assert (told["mysql-host"], told["mongodb-host"]) == ("db.example.org", "mongo")


@pytest.mark.parametrize(
    ("https", "proxy", "mounted"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_caddys_volume_is_there_when_it_keeps_data(
    site: Any, https: bool, proxy: bool, mounted: bool
) -> None:
    objects = rendered(site, ENABLE_HTTPS=https, ENABLE_WEB_PROXY=proxy)
    backup, restore = (template_of(objects, name) for name in CRON_JOBS)
    assert ("/caddy" in mounts(backup)) == ("caddy" in engine_settings(objects)) == mounted
    for template in (backup, restore):
        assert template["spec"]["securityContext"]["runAsNonRoot"] != mounted
        assert ("affinity" in template["spec"]) == mounted
        assert "requiredDuringSchedulingIgnoredDuringExecution" not in str(template)
        assert (template["spec"]["securityContext"]["runAsUser"] == 0) == mounted
    if mounted:
        assert mounts(backup)["/caddy"] == ("caddy", True)
        assert mounts(restore)["/caddy"] == ("caddy", False)
        assert volumes(restore)["caddy"]["persistentVolumeClaim"] == {"claimName": "caddy"}
        # What Caddy keeps is root's own: reading it needs no right, giving it back some.
        assert container(backup)["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container(restore)["securityContext"]["capabilities"] == {
            "drop": ["ALL"],
            "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"],
        }


def test_pods_are_what_a_restricted_namespace_asks_for(site: Any) -> None:
    for template in (template_of(rendered(site), name) for name in CRON_JOBS):
        spec = template["spec"]
        assert spec["restartPolicy"] == "Never"
        assert spec["automountServiceAccountToken"] is False
        # A Service called mysql would set MYSQL_PORT=tcp://…
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"] == {
            "seccompProfile": {"type": "RuntimeDefault"},
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "fsGroup": 1000,
            "fsGroupChangePolicy": "OnRootMismatch",
        }
        assert container(template)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container(template)["terminationMessagePath"] == "/dev/termination-log"
        assert spec["terminationGracePeriodSeconds"] == 120


def test_only_what_another_try_can_change_is_tried_again(site: Any) -> None:
    objects = rendered(site)
    for name in CRON_JOBS:
        job = objects[name]["spec"]["jobTemplate"]["spec"]
        assert (job["backoffLimit"], job["activeDeadlineSeconds"]) == (2, 43200)
        assert "ttlSecondsAfterFinished" not in job
        disrupted, final = job["podFailurePolicy"]["rules"]
        assert disrupted["action"] == "Ignore"
        assert disrupted["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
        assert final["action"] == "FailJob"
        assert final["onExitCodes"]["values"] == [2, 4, 5]


def test_every_setting_of_the_pods(site: Any) -> None:
    toleration = {"key": "backup", "operator": "Exists", "effect": "NoSchedule"}
    affinity: dict[str, Any] = {"nodeAffinity": {}}
    resources = {"requests": {"cpu": 1}, "limits": {"memory": "2Gi", "cpu": "4"}}
    objects = rendered(
        site,
        BACKUP_DOCKER_IMAGE="registry.example.org/backup@sha256:abc",
        BACKUP_K8S_SERVICE_ACCOUNT_ANNOTATIONS={"eks.amazonaws.com/role-arn": "arn:aws:iam::1:x"},
        BACKUP_K8S_IMAGE_PULL_SECRETS=["registry"],
        BACKUP_K8S_RESOURCES=resources,
        BACKUP_K8S_POD_SECURITY_CONTEXT={"runAsUser": 7, "fsGroup": None},
        BACKUP_K8S_SECURITY_CONTEXT={"readOnlyRootFilesystem": False},
        BACKUP_K8S_NODE_SELECTOR={"pool": "backup"},
        BACKUP_K8S_TOLERATIONS=[toleration],
        BACKUP_K8S_AFFINITY=affinity,
        BACKUP_K8S_PRIORITY_CLASS_NAME="low",
        BACKUP_K8S_BACKOFF_LIMIT=0,
        BACKUP_K8S_ACTIVE_DEADLINE_SECONDS=3600,
        BACKUP_K8S_TTL_SECONDS_AFTER_FINISHED=600,
        BACKUP_K8S_TERMINATION_GRACE_PERIOD_SECONDS=30,
        BACKUP_K8S_LABELS={"team": "platform"},
        BACKUP_K8S_ANNOTATIONS={"example.org/note": "1e3", "sidecar.istio.io/inject": False},
    )
    account = objects["ServiceAccount/backup"]
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:x"}
    for one in objects.values():
        assert one["metadata"]["labels"]["team"] == "platform"
    job = objects[CRON_JOBS[0]]["spec"]["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    assert job["activeDeadlineSeconds"] == 3600
    assert job["ttlSecondsAfterFinished"] == 600
    template = job["template"]
    assert template["metadata"]["labels"]["team"] == "platform"
    assert template["metadata"]["annotations"] == {
        "example.org/note": "1e3",
        "sidecar.istio.io/inject": "false",
    }
    spec = template["spec"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["nodeSelector"] == {"pool": "backup"}
    assert spec["tolerations"] == [toleration]
    assert spec["affinity"] == affinity
    assert spec["priorityClassName"] == "low"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["securityContext"]["runAsUser"] == 7
    assert "fsGroup" not in spec["securityContext"]
    assert container(template)["resources"] == resources
    assert container(template)["image"] == "registry.example.org/backup@sha256:abc"
    security = container(template)["securityContext"]
    assert security["readOnlyRootFilesystem"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    existing = rendered(site, BACKUP_K8S_SERVICE_ACCOUNT_NAME="iam")
    assert "ServiceAccount/backup" not in existing
    assert template_of(existing)["spec"]["serviceAccountName"] == "iam"


@pytest.mark.parametrize(
    ("memory", "limit"), [("256MiB", "512Mi"), ("1GiB", "1280Mi"), ("100MB", "352Mi")]
)
def test_the_memory_limit_fits_the_engines_budget(site: Any, memory: str, limit: str) -> None:
    template = template_of(rendered(site, BACKUP_MEMORY=memory))
    resources = container(template)["resources"]
    assert resources == {
        "requests": {"cpu": "250m", "memory": limit},
        "limits": {"memory": limit},
    }


def test_a_limit_that_does_not_fit_is_refused(site: Any) -> None:
    with pytest.raises(TutorError, match="BACKUP_K8S_RESOURCES: a limit of 256Mi"):
        rendered(site, BACKUP_K8S_RESOURCES={"limits": {"memory": "256Mi"}})


def test_media_claims(site: Any) -> None:
    claims = {"openedx-media": "media", "openedx-media-private": "private"}
    objects = rendered(site, BACKUP_K8S_MEDIA_CLAIMS=claims)
    assert engine_settings(objects)["media"] == [f"{name}=/media/{name}" for name in claims]
    backup, restore = (template_of(objects, name) for name in CRON_JOBS)
    for number, (folder, claim) in enumerate(claims.items()):
        name = f"media-{number}"
        assert mounts(backup)[f"/media/{folder}"] == (name, True)
        assert mounts(restore)[f"/media/{folder}"] == (name, False)
        assert volumes(restore)[name]["persistentVolumeClaim"] == {"claimName": claim}
    # Media are Open edX's user's, which the pod is: no right is needed.
    assert "add" not in container(restore)["securityContext"]["capabilities"]
    objects = rendered(site, ENABLE_HTTPS=True)
    capabilities = container(template_of(objects))["securityContext"]["capabilities"]
    assert capabilities == {"drop": ["ALL"], "add": ["DAC_OVERRIDE"]}
    assert "media" not in engine_settings(rendered(site, BACKUP_K8S_MEDIA_CLAIMS={}))


@pytest.mark.parametrize("own_volume", [True, False])
def test_temporary_files(site: Any, own_volume: bool) -> None:
    objects = rendered(
        site,
        BACKUP_K8S_USE_EPHEMERAL_VOLUMES=own_volume,
        BACKUP_K8S_EPHEMERAL_VOLUME_SIZE="3Gi",
        BACKUP_K8S_ANNOTATIONS={"k8up.io/backup": "false"},
        BACKUP_K8S_LABELS={"velero.io/exclude-from-backup": "true"},
    )
    for name in CRON_JOBS:
        template = template_of(objects, name)
        assert mounts(template)["/tmp"] == ("tmp", False)
        volume = volumes(template)["tmp"]
        assert ("ephemeral" in volume) == own_volume
        if own_volume:
            claim = volume["ephemeral"]["volumeClaimTemplate"]
            assert claim["spec"] == {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "3Gi"}},
            }
            # K8up looks at the claim's annotations, Velero at its labels.
            assert claim["metadata"]["annotations"] == {"k8up.io/backup": "false"}
            assert claim["metadata"]["labels"]["velero.io/exclude-from-backup"] == "true"
