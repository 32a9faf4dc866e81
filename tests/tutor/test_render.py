"""The rendered environment: job services and the image's build context."""

from __future__ import annotations

from typing import Any

import pytest

from tutorbackup import compat, engine_config, plugin


def mounts(service: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Source and whether it is read-only, by the place in the container."""
    found = {}
    for volume in service["volumes"]:
        if isinstance(volume, str):
            source, target, mode = volume.split(":")
            found[target] = (source, mode == "ro")
        else:
            found[volume["target"]] = (volume["source"], volume.get("read_only", False))
    return found


def test_backup_reads_and_restore_writes(site: Any) -> None:
    jobs = site.jobs()
    backup, restore = mounts(jobs["backup-job"]), mounts(jobs["backup-restore-job"])
    assert backup["/data/backup"] == ("${OPENEDX_BACKUP_ARCHIVES:-../backup}", False)
    assert restore["/data/backup"] == ("${OPENEDX_BACKUP_ARCHIVES:-../backup}", True)
    assert backup["/tutor"] == ("../..", True)
    assert restore["/tutor"] == ("../..", False)
    # It removes archives, and has no way to anything else.
    assert mounts(jobs["backup-prune-job"]) == {
        "/data/backup": ("${OPENEDX_BACKUP_ARCHIVES:-../backup}", False),
        "/run/openedx-backup": ("${OPENEDX_BACKUP_JOB:-../backup}", True),
    }
    for name in engine_config.media_folders():
        assert backup[f"/media/{name}"] == (f"../../data/{name}", True)
        assert restore[f"/media/{name}"] == (f"../../data/{name}", False)


def test_private_media_are_there_from_tutor_19_on(site: Any) -> None:
    compose = site.path("local", "docker-compose.yml").read_text()
    assert compat.has_private_media() == ("openedx-media-private" in compose)


@pytest.mark.parametrize(
    ("https", "proxy", "mounted"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_caddy_is_mounted_when_it_keeps_data(
    site: Any, https: bool, proxy: bool, mounted: bool
) -> None:
    site.set(ENABLE_HTTPS=https, ENABLE_WEB_PROXY=proxy)
    site.render()
    jobs = site.jobs()
    expected = ("../../data/caddy", True) if mounted else None
    assert mounts(jobs["backup-job"]).get("/caddy") == expected
    assert ("/caddy" in mounts(jobs["backup-restore-job"])) == mounted
    assert (engine_config.why_no_caddy(site.config()) == "") == mounted


def test_only_databases_that_compose_runs_are_started(site: Any) -> None:
    assert site.jobs()["backup-job"]["depends_on"] == ["mysql", "mongodb"]
    assert "depends_on" not in site.jobs()["backup-archive-job"]
    site.set(RUN_MYSQL=False, RUN_MONGODB=False, MYSQL_HOST="db.example.org", MYSQL_PORT=3307)
    site.render()
    for name in ("backup-job", "backup-restore-job"):
        assert site.jobs()[name]["depends_on"] == []
    assert site.tutor("local", "backup").exit_code == 0
    assert "--wait" not in site.only_call().command
    assert 'mysql-host = "db.example.org"\nmysql-port = 3307' in engine_config.render(site.config())


def test_jobs_have_no_more_rights_than_they_need(site: Any) -> None:
    for name, service in site.jobs().items():
        if name.startswith("backup"):
            assert service["cap_drop"] == ["ALL"]
            assert service["read_only"] is True
            expected = {"LANG", "NO_COLOR", "OPENEDX_BACKUP_FRONT_END", "TZ"}
            expected |= {"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"}
            assert set(service["environment"]) == expected


def test_a_long_host_name_does_not_break_the_job(site: Any) -> None:
    site.set(LMS_HOST="a" * 55 + ".example.org")
    site.render()
    hostname = site.jobs()["backup-job"]["hostname"]
    assert hostname.startswith("backup.aaa")
    assert len(hostname) <= 63


def test_mongodbs_connection_settings_are_honoured(site: Any) -> None:
    site.set(
        MONGODB_USE_SSL="true",
        MONGODB_REPLICA_SET="rs0",
        MONGODB_AUTH_MECHANISM="SCRAM-SHA-1",
        MONGODB_AUTH_SOURCE="users",
        MONGODB_USERNAME="root",
        MONGODB_PASSWORD=12345,
    )
    text = engine_config.render(site.config())
    assert "mongodb-tls = true" in text
    assert 'mongodb-replica-set = "rs0"' in text
    assert 'mongodb-authentication-mechanism = "SCRAM-SHA-1"' in text
    assert 'mongodb-authentication-database = "users"' in text
    assert 'mongodb-password = "12345"' in text


def test_the_engines_own_defaults_are_not_repeated(site: Any) -> None:
    text = engine_config.render(site.config())
    for absent in ("threads", "log-level", "caddy", "mysql-databases", "mongodb-user"):
        assert f"\n{absent} =" not in text


def test_the_build_context_is_complete_and_byte_for_byte(site: Any) -> None:
    folder = site.path("plugins", "backup", "build", "backup")
    assert sorted(path.name for path in folder.iterdir()) == [
        "Dockerfile",
        "check-base",
        "engine.tar.patch",
        "tutor-backup",
    ]
    source = f"{plugin.HERE}/templates/backup/build/backup"
    for name in ("check-base", "engine.tar.patch", "tutor-backup"):
        with open(f"{source}/{name}", "rb") as file:
            assert (folder / name).read_bytes().rstrip() == file.read().rstrip(), name


def test_the_base_image_can_be_chosen(site: Any) -> None:
    site.set(BACKUP_BASE_IMAGE="docker.io/ubuntu:24.04")
    site.render()
    text = site.path("plugins", "backup", "build", "backup", "Dockerfile").read_text()
    assert text.count("FROM docker.io/ubuntu:24.04") == 2


def test_rendering_writes_nothing_where_the_archives_are(site: Any) -> None:
    """Docker may have made that folder for a mount, as root's."""
    folder = site.path("backup")
    assert not folder.exists()
    # In place of a folder: what not even root, who may run this, can write into.
    folder.write_text("not yours")
    result = site.tutor("config", "save")
    assert result.exit_code == 0, result.output
    assert folder.read_text() == "not yours"
    assert site.path("plugins", "backup", "schedule", "install").exists()
    kustomization = site.path("kustomization.yml").read_text()
    assert "- plugins/backup/k8s/objects.yml" in kustomization
    assert site.path("plugins", "backup", "k8s", "objects.yml").exists()
