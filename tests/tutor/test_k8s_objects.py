"""The objects that `tutor k8s start` applies: as this Tutor renders and kustomize reads them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from k8s_testing import container, engine_arguments, engine_settings, read_objects, secrets_in
from tutor import env as tutor_env
from tutor.exceptions import TutorError

from tutorbackup import engine_config, k8s_values

CRON_JOBS = ("CronJob/backup-cron-job", "CronJob/restore-cron-job")
HOSTILE = "a$(b)${c}'d\"e\\f #g: %j`k`;&|<>l\té€😀\x7f\u2028~ "


def text_of(site: Any, **settings: Any) -> str:
    """This one file, as Tutor renders it: all of them take a second."""
    site.set(**settings)
    return str(tutor_env.render_file(site.config(), "backup", "k8s", "objects.yml"))


def rendered(site: Any, **settings: Any) -> dict[str, Any]:
    return read_objects(text_of(site, **settings))


def pod(objects: dict[str, Any], name: str = CRON_JOBS[0]) -> dict[str, Any]:
    return dict(objects[name]["spec"]["jobTemplate"]["spec"]["template"])


def mounts(template: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {
        mount["mountPath"]: (mount["name"], mount.get("readOnly", False))
        for mount in container(template)["volumeMounts"]
    }


def volumes(template: dict[str, Any]) -> dict[str, Any]:
    return {volume["name"]: volume for volume in template["spec"]["volumes"]}


def test_the_predecessors_names_are_kept(site: Any) -> None:
    objects = rendered(site)
    assert set(objects) == {
        "ConfigMap/backup-settings",
        "Secret/backup-secrets",
        "ServiceAccount/backup",
        *CRON_JOBS,
    }
    job = site.path("backup", "k8s", "backup-restore-job.yml").read_text()
    assert set(read_objects(job)) == {"Job/backup-restore-job"}


def test_schedules_as_the_predecessors(site: Any) -> None:
    backup, restore = (rendered(site)[name]["spec"] for name in CRON_JOBS)
    same = {
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 900,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    }
    for spec in (backup, restore):
        assert {key: spec[key] for key in same} == same
        assert "timeZone" not in spec
    assert (backup["schedule"], backup["suspend"]) == ("0 0 * * *", False)
    assert (restore["schedule"], restore["suspend"]) == ("30 0 * * *", True)


def test_schedules_can_be_changed(site: Any) -> None:
    objects = rendered(
        site,
        BACKUP_K8S_CRONJOB_BACKUP_ENABLE="no",
        BACKUP_K8S_CRONJOB_RESTORE_ENABLE=True,
        BACKUP_K8S_CRONJOB_RESTORE_SCHEDULE="15 4 * * 5-7",
        BACKUP_K8S_CRONJOB_CONCURRENCYPOLICY="Replace",
        BACKUP_K8S_CRONJOB_STARTING_DEADLINE_SECONDS=60,
        BACKUP_K8S_CRONJOB_HISTORYLIMIT_SUCCESS=0,
        BACKUP_K8S_CRONJOB_HISTORYLIMIT_FAILURE=7,
        BACKUP_K8S_TIME_ZONE="Europe/Zurich",
    )
    backup, restore = (objects[name]["spec"] for name in CRON_JOBS)
    assert (backup["suspend"], restore["suspend"]) == (True, False)
    # Kubernetes knows no day 7.
    assert restore["schedule"] == "15 4 * * 0,5,6"
    assert restore["concurrencyPolicy"] == "Replace"
    assert restore["startingDeadlineSeconds"] == 60
    assert restore["successfulJobsHistoryLimit"] == 0
    assert restore["failedJobsHistoryLimit"] == 7
    assert backup["timeZone"] == restore["timeZone"] == "Europe/Zurich"
    environ = {one["name"]: one["value"] for one in container(pod(objects))["env"]}
    assert environ["TZ"] == "Europe/Zurich"


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
        words = engine_arguments(pod(objects, name))
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
    backup, restore = (pod(objects, name) for name in CRON_JOBS)
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
    for template in (pod(rendered(site), name) for name in CRON_JOBS):
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


def test_what_the_engine_is_told(site: Any) -> None:
    objects = rendered(site)
    backup, restore = (engine_arguments(pod(objects, name)) for name in CRON_JOBS)
    wait = ["--wait", "mysql:3306", "--wait", "mongodb:27017"]
    assert backup == [*wait, "backup"]
    assert restore == [
        *wait,
        "restore",
        "--yes",
        "--skip-applied=true",
        "--exclude=config",
        "--max-age=2d",
    ]
    told = engine_settings(objects)
    assert told["location"] == "s3://backups"
    assert told["warnings-as-success"] is True
    any_age = rendered(site, BACKUP_RESTORE_MAX_AGE="")
    assert not [w for w in engine_arguments(pod(any_age, CRON_JOBS[1])) if "max-age" in w]


def test_secrets_are_files_and_nowhere_else(site: Any) -> None:
    secrets = {
        "mysql-root-password": HOSTILE,
        "mongodb-password": "1e3",
        "s3-access-key": "AKIA",
        "s3-secret-access-key": "s3cr$et'",
        "s3-session-token": "t0ken",
        "s3-sse-customer-key": "A" * 43 + "=",
        "metrics-pushgateway-url": "https://user:pass@push.example.org/",
        "ping-url": "https://hc-ping.com/uuid",
        "webhook-url": "https://hooks.example.org/?a=b&c=$d",
    }
    objects = rendered(
        site,
        MYSQL_ROOT_PASSWORD="{% raw %}" + HOSTILE + "{% endraw %}",
        MONGODB_USERNAME="me: you",
        MONGODB_PASSWORD="1e3",
        BACKUP_S3_ACCESS_KEY="AKIA",
        BACKUP_S3_SECRET_ACCESS_KEY=secrets["s3-secret-access-key"],
        BACKUP_S3_SESSION_TOKEN="t0ken",
        BACKUP_S3_SSE_CUSTOMER_KEY=secrets["s3-sse-customer-key"],
        BACKUP_METRICS_PUSHGATEWAY_URL=secrets["metrics-pushgateway-url"],
        BACKUP_METRICS_LABELS=["site=campus"],
        BACKUP_PING_URL=secrets["ping-url"],
        BACKUP_WEBHOOK_URL=secrets["webhook-url"],
    )
    assert secrets_in(objects["Secret/backup-secrets"]) == secrets
    told = engine_settings(objects)
    files = {"mysql-root-password": "mysql-password"}
    for name, secret in secrets.items():
        key = f"{files.get(name, name)}-file"
        assert told[key] == f"/run/secrets/openedx-backup/{name}"
        others = [str(one) for key, one in objects.items() if not key.startswith("Secret/")]
        assert not [text for text in others if secret in text]
    assert told["mongodb-user"] == "me: you"
    assert told["metrics-labels"] == ["site=campus"]
    template = pod(objects)
    assert volumes(template)["secrets"]["secret"] == {
        "secretName": "backup-secrets",
        "defaultMode": 0o440,
    }
    assert mounts(template)["/run/secrets/openedx-backup"] == ("secrets", True)


def test_what_is_empty_is_no_key_of_the_secret(site: Any) -> None:
    objects = rendered(site)
    assert secrets_in(objects["Secret/backup-secrets"]).keys() == {"mysql-root-password"}
    assert not [key for key in engine_settings(objects) if key.startswith("s3-") and "file" in key]


def test_an_existing_secret(site: Any) -> None:
    objects = rendered(
        site,
        BACKUP_K8S_SECRET_NAME="vault",
        BACKUP_S3_ACCESS_KEY="AKIA",
        BACKUP_S3_SECRET_ACCESS_KEY="s3cret",
    )
    assert not [key for key in objects if key.startswith("Secret/")]
    text = text_of(site)
    assert "s3cret" not in text and "AKIA" not in text
    told = engine_settings(objects)
    names = {key for key in told if key.endswith("-file")}
    assert names == {"mysql-password-file", "s3-access-key-file", "s3-secret-access-key-file"}
    assert volumes(pod(objects))["secrets"]["secret"]["secretName"] == "vault"
    given = rendered(site, BACKUP_K8S_SECRET_KEYS=["mysql-root-password", "ping-url", "config.yml"])
    told = engine_settings(given)
    names = {key for key in told if key.endswith("-file")}
    assert names == {"mysql-password-file", "ping-url-file"}
    assert told["tutor-config"] == "/tutor/config.yml"
    assert mounts(pod(given))["/tutor/config.yml"] == ("secrets", True)


def test_tutors_config_is_backed_up_and_not_restored(site: Any) -> None:
    site.set(BACKUP_K8S_TIME_ZONE="Europe/Zurich")
    # By the command, which alone knows where config.yml is.
    assert site.tutor("config", "save").exit_code == 0
    objects = read_objects(site.path("backup", "k8s", "objects.yml").read_text())
    kept = secrets_in(objects["Secret/backup-secrets"])["config.yml"]
    assert kept == (site.root / "config.yml").read_text()
    assert "Europe/Zurich" in kept
    assert engine_settings(objects)["tutor-config"] == "/tutor/config.yml"
    backup, restore = (pod(objects, name) for name in CRON_JOBS)
    # A restore looks whether one of it was interrupted.
    for template in (backup, restore):
        assert mounts(template)["/tutor/config.yml"] == ("secrets", True)
    assert "--exclude=config" in container(restore)["args"]


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
    assert pod(existing)["spec"]["serviceAccountName"] == "iam"


@pytest.mark.parametrize(
    ("memory", "limit"), [("256MiB", "512Mi"), ("1GiB", "1280Mi"), ("100MB", "352Mi")]
)
def test_the_memory_limit_fits_the_engines_budget(site: Any, memory: str, limit: str) -> None:
    template = pod(rendered(site, BACKUP_MEMORY=memory))
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
    backup, restore = (pod(objects, name) for name in CRON_JOBS)
    for number, (folder, claim) in enumerate(claims.items()):
        name = f"media-{number}"
        assert mounts(backup)[f"/media/{folder}"] == (name, True)
        assert mounts(restore)[f"/media/{folder}"] == (name, False)
        assert volumes(restore)[name]["persistentVolumeClaim"] == {"claimName": claim}
    # Media are Open edX's user's, which the pod is: no right is needed.
    assert "add" not in container(restore)["securityContext"]["capabilities"]
    objects = rendered(site, ENABLE_HTTPS=True)
    capabilities = container(pod(objects))["securityContext"]["capabilities"]
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
        template = pod(objects, name)
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


def test_files_of_the_bucket(site: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE", raising=False)
    monkeypatch.delenv("AWS_CONFIG_FILE", raising=False)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[backups]\n")
    (tmp_path / "ca.pem").write_text("a certificate\n")
    objects = rendered(
        site, BACKUP_S3_CA_FILE=str(tmp_path / "ca.pem"), BACKUP_S3_PROFILE="backups"
    )
    assert objects["ConfigMap/backup-settings"]["data"]["s3-ca.pem"] == "a certificate\n"
    assert engine_settings(objects)["s3-ca-file"] == "/run/openedx-backup/s3-ca.pem"
    assert secrets_in(objects["Secret/backup-secrets"])["aws-credentials"] == "[backups]\n"
    environ = {one["name"]: one["value"] for one in container(pod(objects))["env"]}
    assert environ["AWS_SHARED_CREDENTIALS_FILE"] == "/run/secrets/openedx-backup/aws-credentials"
    assert "AWS_CONFIG_FILE" not in environ


def test_a_site_without_a_cluster_is_not_bothered(site: Any, tmp_path: Any) -> None:
    """By what only a pod needs. That is said where the cluster is used (test_k8s_commands.py)."""
    site.set(BACKUP_S3_BUCKET_NAME="", BACKUP_S3_CA_FILE=str(tmp_path / "nowhere.pem"))
    result = site.tutor("config", "save")
    assert result.exit_code == 0, result.output
    assert "s3" not in result.output.lower()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("SECRET_NAME", "No Name", "no name of an object"),
        ("SECRET_KEYS", ["password"], "none of mysql-root-password"),
        ("MEDIA_CLAIMS", {"../x": "media"}, "no name of a folder"),
        ("MEDIA_CLAIMS", {"media": ""}, "names no claim"),
        ("LABELS", {"team": "not a label"}, "is no label"),
        ("LABELS", {"te am": "x"}, "is no name"),
        ("ANNOTATIONS", {"note": ["x"]}, "is no text"),
        ("ANNOTATIONS", {"note": "a\x7f"}, "has control characters"),
        ("ANNOTATIONS", "text", "is no mapping"),
        ("TOLERATIONS", {"key": "x"}, "is no list"),
        ("TIME_ZONE", "Local", "is no time zone"),
        ("ACTIVE_DEADLINE_SECONDS", 0, "whole number from 1"),
        ("CRONJOB_CONCURRENCYPOLICY", "Never", "none of Allow"),
        ("CRONJOB_BACKUP_SCHEDULE", "0 0 * *", "instead of 5"),
        ("EPHEMERAL_VOLUME_SIZE", "big", "no size"),
    ],
)
def test_impossible_settings_are_refused_by_name(
    site: Any, key: str, value: Any, said: str
) -> None:
    with pytest.raises(TutorError, match=rf"(?s)BACKUP_K8S_{key} .*{re.escape(said)}"):
        text_of(site, **{f"BACKUP_K8S_{key}": value})


def test_urls_are_never_shown(site: Any) -> None:
    site.set(BACKUP_PING_URL="hc-ping.com/secret")
    with pytest.raises(TutorError, match="BACKUP_PING_URL: is no URL") as caught:
        site.render()
    assert "secret" not in str(caught.value)


def test_the_job_of_a_restore_by_files(site: Any) -> None:
    site.set(K8S_NAMESPACE="campus")
    site.render()
    text = site.path("backup", "k8s", "backup-restore-job.yml").read_text()
    (job,) = read_objects(text).values()
    assert job["metadata"]["namespace"] == "campus"
    assert job["spec"]["suspend"] is True
    template = job["spec"]["template"]
    assert engine_arguments(template)[-3:] == ["restore", "--yes", "--exclude=config"]
    assert volumes(template)["settings"]["configMap"]["name"] == "backup-settings"
    assert volumes(template)["secrets"]["secret"]["secretName"] == "backup-secrets"


HOSTILE_SETTINGS: dict[str, Any] = {
    "MYSQL_ROOT_PASSWORD": "{% raw %}" + HOSTILE + "{% endraw %}",
    "MYSQL_ROOT_USERNAME": "yes",
    "MONGODB_USERNAME": "null",
    "MONGODB_PASSWORD": "{{ 12345 }}",
    "BACKUP_MYSQL_DATABASES": ["o p'e\"n$e\\d#x", "1e3", "no"],
    "BACKUP_MONGODB_DATABASES": ["$(HOME)", "~"],
    "BACKUP_S3_BUCKET_NAME": "0x1F",
    "BACKUP_K8S_ANNOTATIONS": {
        "example.org/a": HOSTILE.replace("\x7f", "") + "\nsecond: line",
        "b": "0o17",
    },
    "BACKUP_K8S_LABELS": {"octal": "0777", "float": "1e3", "word": "on"},
    "BACKUP_K8S_NODE_SELECTOR": {"example.org/zone": "1"},
}


def test_values_survive_yaml_and_kustomize(site: Any, kustomize: Any, tmp_path: Any) -> None:
    plain = rendered(site, **HOSTILE_SETTINGS)
    # Tutor's own files do not survive these.
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "objects.yml").write_text(text_of(site))
    kustomization = {"resources": ["objects.yml"], "namespace": "campus"}
    (folder / "kustomization.yml").write_text(yaml.safe_dump(kustomization))
    built = read_objects(kustomize(folder))
    told = engine_settings(built)
    assert told == engine_settings(plain)
    assert told["mysql-databases"] == HOSTILE_SETTINGS["BACKUP_MYSQL_DATABASES"]
    assert told["mongodb-databases"] == HOSTILE_SETTINGS["BACKUP_MONGODB_DATABASES"]
    assert (told["mysql-user"], told["mongodb-user"]) == ("yes", "null")
    assert secrets_in(built["Secret/backup-secrets"])["mysql-root-password"] == HOSTILE
    template = pod(built)
    for key, text in HOSTILE_SETTINGS["BACKUP_K8S_ANNOTATIONS"].items():
        assert template["metadata"]["annotations"][key] == text
    for key, text in HOSTILE_SETTINGS["BACKUP_K8S_LABELS"].items():
        assert built["ConfigMap/backup-settings"]["metadata"]["labels"][key] == text
    assert template["spec"]["nodeSelector"] == {"example.org/zone": "1"}


def test_tutors_start_applies_them_and_its_job_runner_leaves_them(
    site: Any, kustomize: Any
) -> None:
    plain = rendered(site, K8S_NAMESPACE="campus", ENABLE_HTTPS=True)
    site.render()
    built = read_objects(kustomize(site.path()))
    for key in plain:
        one = built[key]
        assert one["metadata"]["namespace"] == "campus"
        component = one["metadata"]["labels"].get("app.kubernetes.io/component")
        assert component not in ("job", "namespace", "volume")
    assert "Job/backup-restore-job" not in built
    # It rewrites k8s/jobs.yml, up to 21.0.6 with a single Job in it.
    assert "cron-job" not in site.path("k8s", "jobs.yml").read_text()
    claims = {key for key in built if key.startswith("PersistentVolumeClaim/")}
    assert "PersistentVolumeClaim/caddy" in claims
    assert f"{engine_config.CADDY}" in mounts(pod(built))


def test_names_of_secrets_are_known(site: Any) -> None:
    objects = rendered(site, MONGODB_PASSWORD="x", MONGODB_USERNAME="y")
    assert secrets_in(objects["Secret/backup-secrets"]).keys() <= {*k8s_values.SECRET_KEYS}
