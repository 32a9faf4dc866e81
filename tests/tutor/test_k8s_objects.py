"""The objects that `tutor k8s start` applies: as this Tutor renders and kustomize reads them."""

from __future__ import annotations

import re
from typing import Any

import click
import pytest
import yaml
from k8s_testing import (
    CRON_JOBS,
    OTHER_CRON_JOBS,
    container,
    engine_arguments,
    engine_settings,
    mounts,
    read_objects,
    rendered,
    secrets_in,
    template_of,
    text_of,
    volumes,
)
from tutor.commands.k8s import K8sContext, k8s
from tutor.exceptions import TutorError

from tutorbackup import engine_config, k8s_values
from tutorbackup.k8s_config import K8sConfig

HOSTILE = "a$(b)${c}'d\"e\\f #g: %j`k`;&|<>l\té€😀\x7f\u2028~ "


def test_the_predecessors_names_are_kept(site: Any) -> None:
    objects = rendered(site)
    assert set(objects) == {
        "ConfigMap/backup-settings",
        "Secret/backup-secrets",
        "ServiceAccount/backup",
        *CRON_JOBS,
        *OTHER_CRON_JOBS,
    }
    job = site.path("plugins", "backup", "k8s", "backup-restore-job.yml").read_text()
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
    environ = {one["name"]: one["value"] for one in container(template_of(objects))["env"]}
    assert environ["TZ"] == "Europe/Zurich"


def test_what_the_engine_is_told(site: Any) -> None:
    objects = rendered(site)
    backup, restore = (engine_arguments(template_of(objects, name)) for name in CRON_JOBS)
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
    assert not [w for w in engine_arguments(template_of(any_age, CRON_JOBS[1])) if "max-age" in w]


def test_old_archives_are_pruned_and_the_newest_verified_where_that_is_wanted(site: Any) -> None:
    prune, verify = (rendered(site)[name]["spec"] for name in OTHER_CRON_JOBS)
    assert (prune["suspend"], verify["suspend"]) == (True, True)
    objects = rendered(
        site,
        BACKUP_K8S_CRONJOB_PRUNE_ENABLE=True,
        BACKUP_K8S_CRONJOB_VERIFY_ENABLE=True,
        BACKUP_K8S_CRONJOB_VERIFY_SCHEDULE="0 3 1 * *",
        BACKUP_PRUNE_KEEP_DAILY=7,
        ENABLE_HTTPS=True,
        BACKUP_K8S_MEDIA_CLAIMS={"openedx-media": "media"},
    )
    prune, verify = (objects[name]["spec"] for name in OTHER_CRON_JOBS)
    assert (prune["schedule"], prune["suspend"]) == ("0 6 * * *", False)
    assert (verify["schedule"], verify["suspend"]) == ("0 3 1 * *", False)
    arguments = [engine_arguments(template_of(objects, name)) for name in OTHER_CRON_JOBS]
    assert arguments == [["prune", "--yes"], ["verify"]]
    assert engine_settings(objects)["keep-daily"] == 7
    # The bucket alone is what they need.
    for name in OTHER_CRON_JOBS:
        assert volumes(template_of(objects, name)).keys() == {"settings", "secrets", "tmp"}


def test_pruning_without_a_rule_is_refused(site: Any) -> None:
    with pytest.raises(TutorError, match="BACKUP_K8S_CRONJOB_PRUNE_ENABLE: there is no rule"):
        rendered(site, BACKUP_K8S_CRONJOB_PRUNE_ENABLE=True)


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
    template = template_of(objects)
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
    assert volumes(template_of(objects))["secrets"]["secret"]["secretName"] == "vault"
    given = rendered(site, BACKUP_K8S_SECRET_KEYS=["mysql-root-password", "ping-url", "config.yml"])
    told = engine_settings(given)
    names = {key for key in told if key.endswith("-file")}
    assert names == {"mysql-password-file", "ping-url-file"}
    assert told["tutor-config"] == "/tutor/config.yml"
    assert mounts(template_of(given))["/tutor/config.yml"] == ("secrets", True)


def test_tutors_config_is_backed_up_and_not_restored(site: Any) -> None:
    site.set(BACKUP_K8S_TIME_ZONE="Europe/Zurich")
    # By the command, which alone knows where config.yml is.
    assert site.tutor("config", "save").exit_code == 0
    objects = read_objects(site.path("plugins", "backup", "k8s", "objects.yml").read_text())
    kept = secrets_in(objects["Secret/backup-secrets"])["config.yml"]
    assert kept == (site.root / "config.yml").read_text()
    assert "Europe/Zurich" in kept
    assert engine_settings(objects)["tutor-config"] == "/tutor/config.yml"
    backup, restore = (template_of(objects, name) for name in CRON_JOBS)
    # A restore looks whether one of it was interrupted.
    for template in (backup, restore):
        assert mounts(template)["/tutor/config.yml"] == ("secrets", True)
    assert "--exclude=config" in container(restore)["args"]


def test_files_of_the_bucket(site: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE", raising=False)
    monkeypatch.delenv("AWS_CONFIG_FILE", raising=False)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[root]\nx = hush\n[backups]\n")
    (tmp_path / "ca.pem").write_text("a certificate\n")
    objects = rendered(
        site,
        BACKUP_MYSQL_CA_FILE=str(tmp_path / "ca.pem"),
        BACKUP_MONGODB_CA_FILE=str(tmp_path / "ca.pem"),
        BACKUP_S3_CA_FILE=str(tmp_path / "ca.pem"),
        BACKUP_S3_PROFILE="backups",
    )
    for server in ("mysql", "mongodb", "s3"):
        name = f"{server}-ca.pem"
        assert objects["ConfigMap/backup-settings"]["data"][name] == "a certificate\n"
        assert engine_settings(objects)[f"{server}-ca-file"] == f"/run/openedx-backup/{name}"
    assert secrets_in(objects["Secret/backup-secrets"])["aws-credentials"] == "[backups]\n"
    environ = {one["name"]: one["value"] for one in container(template_of(objects))["env"]}
    assert environ["AWS_SHARED_CREDENTIALS_FILE"] == "/run/secrets/openedx-backup/aws-credentials"
    assert "AWS_CONFIG_FILE" not in environ


def test_an_existing_secret_has_awss_files_itself(
    site: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    site.set(
        BACKUP_S3_PROFILE="backups",
        BACKUP_K8S_SECRET_NAME="vault",
        BACKUP_K8S_SECRET_KEYS=["mysql-root-password", "aws-credentials"],
    )
    pods = K8sConfig(site.config())
    assert pods.secret_keys() == {"mysql-root-password", "aws-credentials"}


def test_variables_of_the_operators_own(site: Any) -> None:
    proxy = "http://me:a$(b)$$c@proxy:3128"
    objects = rendered(site, BACKUP_ENVIRONMENT={"https_proxy": proxy, "AWS_REGION": "eu-1"})
    environ = {one["name"]: one["value"] for one in container(template_of(objects))["env"]}
    # Kubernetes halves each pair of dollars.
    assert environ["https_proxy"] == proxy.replace("$", "$$")
    assert environ["AWS_REGION"] == "eu-1"
    assert environ["TZ"] == "UTC"


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
        ("LABELS", {"app.kubernetes.io/name": "x"}, "by which our objects are found"),
        ("ANNOTATIONS", {"note": ["x"]}, "is no text"),
        ("ANNOTATIONS", {"note": "a\x7f"}, "has control characters"),
        ("ANNOTATIONS", "text", "is no mapping"),
        ("TOLERATIONS", {"key": "x"}, "is no list"),
        ("TIME_ZONE", "Local", "is no time zone"),
        ("TIME_ZONE", "Europe/Zuerich", "is no time zone"),
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
    text = site.path("plugins", "backup", "k8s", "backup-restore-job.yml").read_text()
    (job,) = read_objects(text).values()
    assert job["metadata"]["namespace"] == "campus"
    assert job["spec"]["suspend"] is True
    # Removed, it would be made and run again by what applies the file.
    assert "ttlSecondsAfterFinished" not in job["spec"]
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
    template = template_of(built)
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
    assert f"{engine_config.CADDY}" in mounts(template_of(built))


def test_names_of_secrets_are_known(site: Any) -> None:
    objects = rendered(site, MONGODB_PASSWORD="x", MONGODB_USERNAME="y")
    assert secrets_in(objects["Secret/backup-secrets"]).keys() <= {*k8s_values.SECRET_KEYS}


def test_whoever_renders_below_tutor_k8s_is_told_what_a_pod_lacks(site: Any) -> None:
    """As `tutor k8s launch` does, quickstart on older ones."""
    site.set(BACKUP_S3_BUCKET_NAME="")
    empty = pytest.raises(TutorError, match="BACKUP_S3_BUCKET_NAME is empty")
    with click.Context(k8s, obj=K8sContext(str(site.root))), empty:
        site.render()
