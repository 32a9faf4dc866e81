"""What operators of the predecessor rely on: names and defaults."""

from __future__ import annotations

from typing import Any

import pytest

from tutorbackup import settings
from tutorbackup.__about__ import __version__

DEFAULTS = {
    "BACKUP_DOCKER_IMAGE": f"docker.io/backup:{__version__}",
    "BACKUP_BASE_IMAGE": "docker.io/debian:trixie-slim",
    "BACKUP_K8S_CRONJOB_HISTORYLIMIT_FAILURE": "1",
    "BACKUP_K8S_CRONJOB_HISTORYLIMIT_SUCCESS": "3",
    "BACKUP_K8S_CRONJOB_STARTING_DEADLINE_SECONDS": "900",
    "BACKUP_K8S_CRONJOB_BACKUP_ENABLE": "true",
    "BACKUP_K8S_CRONJOB_BACKUP_SCHEDULE": "0 0 * * *",
    "BACKUP_K8S_CRONJOB_RESTORE_ENABLE": "false",
    "BACKUP_K8S_CRONJOB_RESTORE_SCHEDULE": "30 0 * * *",
    "BACKUP_K8S_CRONJOB_CONCURRENCYPOLICY": "Forbid",
    "BACKUP_K8S_USE_EPHEMERAL_VOLUMES": "false",
    "BACKUP_K8S_EPHEMERAL_VOLUME_SIZE": "10Gi",
    "BACKUP_S3_HOST": "",
    "BACKUP_S3_PORT": "",
    "BACKUP_S3_REGION": "",
    "BACKUP_S3_REGION_NAME": "",
    "BACKUP_S3_SIGNATURE_VERSION": "s3v4",
    "BACKUP_S3_ADDRESSING_STYLE": "auto",
    "BACKUP_S3_USE_SSL": "true",
    "BACKUP_S3_ACCESS_KEY": "",
    "BACKUP_S3_SECRET_ACCESS_KEY": "",
    "BACKUP_S3_BUCKET_NAME": "backups",
    "BACKUP_S3_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "BACKUP_S3_SESSION_TOKEN": "",
    "BACKUP_S3_PROFILE": "",
    "BACKUP_S3_CA_FILE": "",
    "BACKUP_S3_SSE": "none",
    "BACKUP_S3_SSE_KMS_KEY_ID": "",
    "BACKUP_S3_SSE_CUSTOMER_KEY": "",
    "BACKUP_S3_STORAGE_CLASS": "",
    "BACKUP_S3_OBJECT_LOCK_MODE": "",
    "BACKUP_S3_OBJECT_LOCK_DAYS": "",
    "BACKUP_S3_TAGS": "[]",
    "BACKUP_PRUNE_KEEP_DAILY": "",
    "BACKUP_PRUNE_KEEP_WITHIN": "",
    "BACKUP_K8S_CRONJOB_PRUNE_ENABLE": "false",
    "BACKUP_K8S_CRONJOB_VERIFY_ENABLE": "false",
    "BACKUP_MYSQL_DATABASES": "[]",
    "BACKUP_MONGODB_DATABASES": "[]",
    "BACKUP_MONGODB_AUTHENTICATION_DATABASE": "admin",
    "BACKUP_MONGORESTORE_ADDITIONAL_OPTIONS": "",
    "BACKUP_MYSQL_SINGLE_TRANSACTION": "true",
    "BACKUP_MYSQL_FLUSH_LOGS": "true",
}


def test_every_setting_has_its_default(site: Any) -> None:
    config = site.config()
    shown = {name: str(config[name]) for name in DEFAULTS}
    # Tutor prints booleans as Python or as YAML writes them, by release.
    booleans = {"True": "true", "False": "false"}
    assert {name: booleans.get(value, value) for name, value in shown.items()} == DEFAULTS


def test_printvalue_shows_settings(site: Any) -> None:
    for name in ("BACKUP_S3_BUCKET_NAME", "BACKUP_K8S_CRONJOB_BACKUP_SCHEDULE"):
        result = site.tutor("config", "printvalue", name)
        assert result.exit_code == 0
        assert DEFAULTS[name] in result.output


def test_the_defaults_pass_their_own_checks(site: Any) -> None:
    assert len(settings.checked(site.config())) == len(settings.SETTINGS)


def test_a_predecessors_config_goes_on_working(site: Any) -> None:
    site.set(
        BACKUP_S3_HOST="s3.example.org",
        BACKUP_S3_PORT=9000,
        BACKUP_S3_REGION_NAME="eu-1",
        BACKUP_S3_USE_SSL="False",
        BACKUP_MYSQL_DATABASES=["openedx", "notes"],
        BACKUP_MONGORESTORE_ADDITIONAL_OPTIONS="-j 1",
        BACKUP_K8S_CRONJOB_RESTORE_ENABLE=True,
    )
    site.render()
    plain = settings.checked(site.config())
    assert plain["S3_PORT"] == 9000
    assert plain["S3_USE_SSL"] is False
    assert plain["S3_REGION_NAME"] == "eu-1"


def test_the_s3_plugin_fills_settings_in(site: Any) -> None:
    site.set(S3_HOST="ceph.example.org", S3_PORT="8080", S3_REGION="eu", S3_USE_SSL=False)
    plain = settings.checked(site.config())
    assert (plain["S3_HOST"], plain["S3_PORT"], plain["S3_USE_SSL"]) == (
        "ceph.example.org",
        8080,
        False,
    )
    assert plain["S3_REGION"] == plain["S3_REGION_NAME"] == "eu"


def test_the_s3_plugins_own_defaults_mean_aws(site: Any) -> None:
    """What tutor-contrib-s3 declares when it is enabled and nothing is set."""
    site.set(
        S3_HOST="",
        S3_PORT="",
        S3_REGION="",
        S3_USE_SSL=True,
        S3_ADDRESSING_STYLE="auto",
        S3_SIGNATURE_VERSION="s3v4",
        S3_STORAGE_BUCKET="openedx",
    )
    plain = settings.checked(site.config())
    assert (plain["S3_HOST"], plain["S3_PORT"], plain["S3_USE_SSL"]) == ("", None, True)
    # Archives are not put among the site's own files.
    assert plain["S3_BUCKET_NAME"] == "backups"


@pytest.mark.parametrize("action", ["build", "pull", "push"])
def test_the_image_is_known_to_tutor(site: Any, action: str) -> None:
    result = site.tutor("images", action, "backup")
    assert result.exit_code == 0, result.output
    assert f"docker.io/backup:{__version__}" in result.output
