"""Archives in a bucket, and pruning: what the engine is told, and what it is given."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from typing import Any

import pytest
from tutor.exceptions import TutorError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WAIT = "--wait mysql:3306 --wait mongodb:27017"
BUCKET = "--config /run/openedx-backup/settings-s3.toml"
RESTORE = f"restore {BUCKET} --summary-file=/run/openedx-backup-summary"
CUSTOMER_KEY = "A" * 43 + "="


def engine_settings(call: Any) -> dict[str, Any]:
    """The settings file that the call names."""
    words = shlex.split(call.command)
    name = os.path.basename(words[words.index("--config") + 1])
    with open(os.path.join(call.environ["OPENEDX_BACKUP_JOB"], name), "rb") as file:
        return tomllib.load(file)


def test_backup_uploads_straight_to_the_bucket(site: Any) -> None:
    result = site.tutor("local", "backup", "--upload", "--exclude=media")
    assert result.exit_code == 0, result.output
    call = site.only_call()
    assert call.service == "backup-job"
    assert call.command == (
        f"exec tutor-backup {WAIT} --as-owner backup {BUCKET} --to=s3://backups --exclude=media"
    )
    assert "Archives are in s3://backups" in result.output
    assert "tutor local backups list --remote" in result.output


def test_restore_downloads_straight_from_the_bucket(site: Any) -> None:
    site.tutor("local", "restore", "--download", "--date=2026-11-22")
    site.tutor("local", "restore", "--version=abc/+=", "--yes")
    dated, version = (call.command for call in site.calls())
    assert dated.endswith(f"{RESTORE} --from=s3://backups --date=2026-11-22 --exclude=config")
    assert version.endswith(
        f"{RESTORE} --from=s3://backups --version=abc/+= --exclude=config --yes"
    )


@pytest.mark.parametrize("command", [("restore",), ("backups", "list")])
@pytest.mark.parametrize(
    ("given", "shown"),
    [(["--list-versions"], 20), (["--list-versions=5"], 5), (["--list-versions", "7"], 7)],
)
def test_versions_are_listed_and_nothing_else_is_done(
    site: Any, command: Any, given: Any, shown: int
) -> None:
    result = site.tutor("local", *command, *given)
    assert result.exit_code == 0, result.output
    call = site.only_call()
    assert call.service == "backup-archive-job"
    assert call.command == (
        f"exec tutor-backup list {BUCKET} --from=s3://backups --list-versions={shown}"
    )
    assert "restart" not in result.output


def test_looking_at_archives_in_the_bucket(site: Any, tmp_path: Any) -> None:
    site.tutor("local", "backups", "list", "--remote")
    site.tutor("local", "backups", "inspect", "--remote", "--name=x")
    site.tutor("local", "backups", "verify", "--version=v1")
    site.tutor("local", "backups", "extract", "--remote", "--to", str(tmp_path / "out"))
    commands = [call.command.partition(f"{BUCKET} ")[2] for call in site.calls()]
    assert commands == [
        "--from=s3://backups",
        "--from=s3://backups --name=x",
        "--from=s3://backups --version=v1",
        "--from=s3://backups --to /target/out",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("restore", "--download", "--undo"),
        ("restore", "--version=x", "--drop-old"),
        ("restore", "--list-versions", "--date=2026-11-22"),
        ("restore", "--list-versions=0"),
        ("restore", "--list-versions=all"),
        ("backups", "prune", "--keep-daily=0"),
        ("backups", "prune", "--keep-within=30"),
    ],
)
def test_options_that_contradict_each_other_are_refused(site: Any, arguments: Any) -> None:
    assert site.tutor("local", *arguments).exit_code == 2
    assert site.calls() == []


@pytest.mark.parametrize("option", ["--download", "--version=x"])
def test_a_file_is_not_in_the_bucket(site: Any, tmp_path: Any, option: str) -> None:
    (tmp_path / "a.tar.xz").write_bytes(b"")
    result = site.tutor("local", "restore", "--file", str(tmp_path / "a.tar.xz"), option)
    assert result.exit_code == 2
    assert "--file and " + option.partition("=")[0] in result.output


def test_every_setting_of_the_bucket_reaches_the_engine(site: Any, tmp_path: Any) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("a certificate\n")
    site.set(
        BACKUP_S3_HOST="ceph.example.org",
        BACKUP_S3_PORT=8080,
        BACKUP_S3_REGION_NAME="eu-1",
        BACKUP_S3_SIGNATURE_VERSION="s3",
        BACKUP_S3_ADDRESSING_STYLE="path",
        BACKUP_S3_USE_SSL="False",
        BACKUP_S3_ACCESS_KEY="the key",
        BACKUP_S3_SECRET_ACCESS_KEY="s3cr$et'\"\\",
        BACKUP_S3_SESSION_TOKEN="t0ken",
        BACKUP_S3_BUCKET_NAME="campus-backups",
        BACKUP_S3_REQUEST_CHECKSUM_CALCULATION="when_supported",
        BACKUP_S3_CA_FILE=str(authority),
        BACKUP_S3_SSE_CUSTOMER_KEY=CUSTOMER_KEY,
        BACKUP_S3_STORAGE_CLASS="STANDARD_IA",
        BACKUP_S3_OBJECT_LOCK_MODE="GOVERNANCE",
        BACKUP_S3_OBJECT_LOCK_DAYS=30,
        BACKUP_S3_TAGS=["site=campus", "kind=backup"],
    )
    result = site.tutor("local", "backup", "--upload")
    assert result.exit_code == 0, result.output
    call = site.only_call()
    assert "--to=s3://campus-backups" in call.command
    told = {key: value for key, value in engine_settings(call).items() if key.startswith("s3-")}
    assert told == {
        "s3-endpoint-url": "ceph.example.org:8080",
        "s3-use-ssl": False,
        "s3-region": "eu-1",
        "s3-bucket": "campus-backups",
        "s3-access-key": "the key",
        "s3-secret-access-key": "s3cr$et'\"\\",
        "s3-session-token": "t0ken",
        "s3-addressing-style": "path",
        "s3-signature-version": "s3",
        "s3-request-checksum-calculation": "when_supported",
        "s3-ca-file": "/run/openedx-backup/s3-ca.pem",
        "s3-sse": "none",
        "s3-sse-customer-key": CUSTOMER_KEY,
        "s3-storage-class": "STANDARD_IA",
        "s3-object-lock-mode": "GOVERNANCE",
        "s3-object-lock-days": 30,
        "s3-tags": ["site=campus", "kind=backup"],
    }
    job = call.environ["OPENEDX_BACKUP_JOB"]
    with open(os.path.join(job, "s3-ca.pem"), encoding="utf-8") as file:
        assert file.read() == "a certificate\n"
    for name in os.listdir(job):
        assert stat.S_IMODE(os.stat(os.path.join(job, name)).st_mode) == 0o600
    shown = "\n".join([*call.full, *call.environ.values(), result.output])
    for secret in ("s3cr$et", "t0ken", CUSTOMER_KEY):
        assert secret not in shown
        assert secret not in site.path("local", "docker-compose.jobs.yml").read_text()


def test_the_s3_plugins_settings_reach_the_engine(site: Any) -> None:
    site.set(
        S3_HOST="minio.example.org",
        S3_PORT="9000",
        S3_REGION="eu",
        S3_USE_SSL=False,
        S3_REQUEST_CHECKSUM_CALCULATION="when_supported",
        OPENEDX_AWS_ACCESS_KEY="key",
        OPENEDX_AWS_SECRET_ACCESS_KEY="secret",
    )
    site.tutor("local", "backup", "--upload")
    told = engine_settings(site.only_call())
    assert told["s3-endpoint-url"] == "minio.example.org:9000"
    assert told["s3-use-ssl"] is False
    assert told["s3-region"] == "eu"
    assert told["s3-request-checksum-calculation"] == "when_supported"
    assert (told["s3-access-key"], told["s3-secret-access-key"]) == ("key", "secret")


def test_without_keys_the_engine_looks_for_those_of_the_machine(site: Any) -> None:
    site.tutor("local", "backup", "--upload")
    told = engine_settings(site.only_call())
    absent = ("s3-access-key", "s3-secret-access-key", "s3-session-token", "s3-profile")
    assert not told.keys() & {*absent, "s3-endpoint-url", "s3-region", "s3-ca-file"}


def test_what_was_emptied_is_not_set(site: Any) -> None:
    """`NAME:` with nothing behind it in config.yml."""
    names = ["HOST", "PORT", "REGION", "SIGNATURE_VERSION", "ADDRESSING_STYLE", "USE_SSL"]
    names += ["REQUEST_CHECKSUM_CALCULATION"]
    keys = dict.fromkeys(("OPENEDX_AWS_ACCESS_KEY", "OPENEDX_AWS_SECRET_ACCESS_KEY"))
    site.set(BACKUP_S3_REGION=None, **{f"S3_{name}": None for name in names}, **keys)
    site.tutor("local", "backup", "--upload")
    told = engine_settings(site.only_call())
    assert told["s3-addressing-style"] == "auto"
    assert told["s3-request-checksum-calculation"] == "when_required"
    assert told["s3-use-ssl"] is True
    assert not told.keys() & {"s3-endpoint-url", "s3-region", "s3-access-key"}


def test_authorities_of_the_servers(site: Any, tmp_path: Any) -> None:
    for server in ("mysql", "mongodb"):
        (tmp_path / server).write_text(f"of {server}\n")
    site.set(
        BACKUP_MYSQL_CA_FILE=str(tmp_path / "mysql"),
        BACKUP_MONGODB_CA_FILE=str(tmp_path / "mongodb"),
        BACKUP_MONGODB_WRITE_LOCK=True,
    )
    site.tutor("local", "backup")
    call = site.only_call()
    told = engine_settings(call)
    assert told["mongodb-write-lock"] is True
    for server in ("mysql", "mongodb"):
        name = f"{server}-ca.pem"
        assert told[f"{server}-ca-file"] == f"/run/openedx-backup/{name}"
        with open(os.path.join(call.environ["OPENEDX_BACKUP_JOB"], name), encoding="utf-8") as file:
            assert file.read() == f"of {server}\n"


def test_an_address_of_ipv6_gets_its_brackets(site: Any) -> None:
    site.set(BACKUP_S3_HOST="fd00::1", BACKUP_S3_PORT=9000)
    site.tutor("local", "backup", "--upload")
    assert engine_settings(site.only_call())["s3-endpoint-url"] == "[fd00::1]:9000"


def test_a_profiles_files_are_copied_and_go_away_with_it(
    site: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE", raising=False)
    monkeypatch.delenv("AWS_CONFIG_FILE", raising=False)
    site.set(BACKUP_S3_PROFILE="backups")
    result = site.tutor("local", "backup", "--upload")
    assert isinstance(result.exception, TutorError)
    assert "BACKUP_S3_PROFILE: there is no profile backups in" in str(result.exception)
    (tmp_path / ".aws").mkdir()
    ours = "[ backups ]\nkey = a\n# of us\n"
    (tmp_path / ".aws" / "credentials").write_text(f"[root]\nkey = hush\n{ours}[backups-2]\nkey=b")
    config = "[profile backups]\ns3 =\n  addressing_style = path\n"
    (tmp_path / ".aws" / "config").write_text(f"[default]\nregion = x\n{config}")
    assert site.tutor("local", "backup", "--upload").exit_code == 0
    call = site.only_call()
    assert engine_settings(call)["s3-profile"] == "backups"
    copied = os.path.join(call.environ["OPENEDX_BACKUP_JOB"], "aws-credentials")
    # Not the other profiles.
    for name, said in (("aws-credentials", ours), ("aws-config", config)):
        with open(os.path.join(call.environ["OPENEDX_BACKUP_JOB"], name), encoding="utf-8") as file:
            assert file.read() == said
    site.set(BACKUP_S3_PROFILE="")
    assert site.tutor("local", "backup", "--upload").exit_code == 0
    assert not os.path.exists(copied)


def test_a_profile_takes_the_place_of_open_edxs_own_keys(
    site: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[backups]\n")
    keys = {"OPENEDX_AWS_ACCESS_KEY": "LMS", "OPENEDX_AWS_SECRET_ACCESS_KEY": "hush"}
    site.set(BACKUP_S3_PROFILE="backups", **keys)
    assert site.tutor("local", "backup", "--upload").exit_code == 0
    settings = engine_settings(site.only_call())
    assert settings["s3-profile"] == "backups"
    assert "s3-access-key-file" not in settings and "s3-access-key" not in settings
    site.set(BACKUP_S3_ACCESS_KEY="OURS", BACKUP_S3_SECRET_ACCESS_KEY="hush")
    result = site.tutor("local", "backup", "--upload")
    assert "BACKUP_S3_PROFILE and BACKUP_S3_ACCESS_KEY" in str(result.exception)


def test_a_ca_file_that_cannot_be_read_is_named(site: Any) -> None:
    site.set(BACKUP_S3_CA_FILE="/nowhere/ca.pem")
    result = site.tutor("local", "backups", "list", "--remote")
    assert isinstance(result.exception, TutorError)
    assert "BACKUP_S3_CA_FILE: cannot read /nowhere/ca.pem" in str(result.exception)
    assert site.tutor("local", "backups", "list").exit_code == 0


def test_an_impossible_setting_stops_a_run_that_needs_the_bucket(site: Any) -> None:
    site.set(BACKUP_S3_ADDRESSING_STYLE="sideways")
    assert site.tutor("local", "backup").exit_code == 0
    result = site.tutor("local", "backup", "--upload")
    assert isinstance(result.exception, TutorError)
    assert "BACKUP_S3_ADDRESSING_STYLE" in str(result.exception)
    site.set(BACKUP_S3_ADDRESSING_STYLE="path", BACKUP_S3_BUCKET_NAME="")
    assert "BACKUP_S3_BUCKET_NAME is empty" in str(
        site.tutor("local", "backup", "--upload").exception
    )


def test_a_run_without_the_bucket_gets_none_of_its_secrets(site: Any) -> None:
    site.set(BACKUP_S3_ACCESS_KEY="key", BACKUP_S3_SECRET_ACCESS_KEY="secret")
    site.tutor("local", "backup")
    assert not [key for key in engine_settings(site.only_call()) if key.startswith("s3-")]


@pytest.mark.parametrize("mode", ["local", "dev"])
def test_prune_needs_no_server(site: Any, mode: str) -> None:
    site.set(BACKUP_PRUNE_KEEP_DAILY=7, BACKUP_PRUNE_KEEP_WITHIN="2w")
    result = site.tutor(mode, "backups", "prune", "--keep-last=3", "--keep-weekly=5", "--dry-run")
    assert result.exit_code == 0, result.output
    call = site.only_call(mode)
    assert call.service == "backup-prune-job"
    assert call.command == (
        "exec tutor-backup prune --config /run/openedx-backup/settings-prune.toml "
        "--keep-last=3 --keep-weekly=5 --dry-run"
    )
    told = engine_settings(call)
    assert (told["keep-daily"], told["keep-within"]) == (7, "2w")
    assert "keep-last" not in told


def test_prune_of_the_bucket(site: Any) -> None:
    site.tutor("local", "backups", "prune", "--remote", "--keep-within=1y6m", "--damaged", "--yes")
    call = site.only_call()
    assert call.command == (
        "exec tutor-backup prune --config /run/openedx-backup/settings-prune-s3.toml "
        "--from=s3://backups --keep-within=1y6m --damaged --yes"
    )
    assert engine_settings(call)["s3-bucket"] == "backups"


def test_a_rule_that_is_not_possible_stops_prune(site: Any) -> None:
    site.set(BACKUP_PRUNE_KEEP_DAILY="some")
    result = site.tutor("local", "backups", "prune", "--keep-last=1")
    assert isinstance(result.exception, TutorError)
    assert "BACKUP_PRUNE_KEEP_DAILY" in str(result.exception)
