"""The commands: what they tell the engine, and what comes back to the terminal."""

from __future__ import annotations

import os
import re
import shlex
import stat
import sys
from typing import Any

import pytest
from tutor.commands import compose as tutor_compose
from tutor.exceptions import TutorError

from tutorbackup import compat

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG = "--config /run/openedx-backup/settings.toml"
RESTORE = f"restore {CONFIG} --summary-file=/run/openedx-backup-summary"
WAIT = "--wait mysql:3306 --wait mongodb:27017"


def engine_settings(call: Any) -> dict[str, Any]:
    with open(call.environ["OPENEDX_BACKUP_JOB"] + "/settings.toml", "rb") as file:
        return tomllib.load(file)


@pytest.mark.parametrize("mode", ["local", "dev"])
def test_backup_runs_the_engine_in_the_job_that_cannot_write(site: Any, mode: str) -> None:
    result = site.tutor(mode, "backup")
    assert result.exit_code == 0, result.output
    call = site.only_call(mode)
    assert call.service == "backup-job"
    assert call.command == f"exec tutor-backup {WAIT} --as-owner backup {CONFIG}"
    assert call.environ["OPENEDX_BACKUP_FRONT_END"] == f"tutor {mode}"
    assert f"tutor {mode} backups list" in result.output


def test_a_folder_of_archives_that_is_roots_is_named(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(site.path("backup"))
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder)
    result = site.tutor("local", "backup")
    assert result.exit_code == 0, result.output
    assert f'sudo chown -R "$(id -u):$(id -g)" {folder}' in result.output
    monkeypatch.undo()


def test_options_of_backup_reach_the_engine(site: Any) -> None:
    site.tutor(
        "local", "backup", "--only=mysql", "--only=media", "--name=a b'$c", "--compression=zstd:3"
    )
    words = shlex.split(site.only_call().command)
    at = words.index("backup") + 3
    assert words[at:] == ["--only=mysql", "--only=media", "--name=a b'$c", "--compression=zstd:3"]


def test_restore_keeps_the_predecessors_options(site: Any) -> None:
    result = site.tutor(
        "local", "restore", "--date", "2026-11-22", "--exclude=caddy", "--exclude=mongodb"
    )
    assert result.exit_code == 0, result.output
    call = site.only_call()
    assert call.service == "backup-restore-job"
    assert call.command == (
        f"exec tutor-backup {WAIT} {RESTORE} --date=2026-11-22 "
        "--exclude=caddy --exclude=mongodb --exclude=config"
    )


def test_restore_leaves_the_configuration_alone_unless_it_is_named(site: Any) -> None:
    site.tutor("local", "restore", "--yes")
    site.tutor("local", "restore", "--only=config", "--yes")
    default, named = (call.command for call in site.calls())
    assert default.endswith("--exclude=config --yes")
    assert named.endswith("--only=config --yes")


def test_undo_and_flags_of_restore(site: Any) -> None:
    site.tutor("local", "restore", "--undo")
    site.tutor("local", "restore", "--dry-run", "--keep-old")
    undo, dry = (call.command for call in site.calls())
    assert undo.endswith(f"{RESTORE} --undo")
    assert dry.endswith("--dry-run --keep-old")
    assert site.tutor("local", "restore", "--undo", "--date=2026-11-22").exit_code == 2
    assert site.tutor("local", "restore", "--drop-old", "--only=mysql").exit_code == 2


def test_kept_data_are_asked_about_like_a_restore(site: Any) -> None:
    site.tutor("local", "restore", "--undo", "--yes", "--only=mysql", "--only=media")
    site.tutor("local", "restore", "--drop-old", "--yes")
    undo, drop = (call.command for call in site.calls())
    assert undo.endswith(f"{RESTORE} --undo --yes --only=mysql --only=media")
    assert drop.endswith(f"{RESTORE} --drop-old --yes")


def test_in_place_reaches_the_engine_and_excludes_what_needs_old_data(site: Any) -> None:
    assert site.tutor("local", "restore", "--in-place", "--yes").exit_code == 0
    assert site.only_call().command.endswith("--exclude=config --yes --in-place")
    for other in ("--keep-old", "--undo", "--drop-old", "--list-versions"):
        result = site.tutor("local", "restore", "--in-place", other)
        assert result.exit_code == 2, other
        assert "--in-place" in result.output and other in result.output
    assert len(site.calls()) == 1


def test_in_place_recommends_to_stop_what_runs(site: Any, answers: Any) -> None:
    note = "lms, cms-worker run on while their data are gone"
    answers(running="caddy lms cms-worker mysql")
    told = site.tutor("local", "restore", "--in-place", "--yes")
    assert note in told.output and "--stop-services" in told.output
    assert "run on" not in site.tutor("local", "restore", "--in-place", "--dry-run").output
    stopped = site.tutor("local", "restore", "--in-place", "--stop-services", "--yes")
    assert "run on" not in stopped.output
    assert "run on" not in site.tutor("local", "restore", "--yes").output
    answers(running="mysql mongodb")
    assert "run on" not in site.tutor("local", "restore", "--in-place", "--yes").output
    assert "recommended" in site.tutor("local", "restore", "--help").output


def test_an_archive_elsewhere_is_mounted(site: Any, tmp_path: Any) -> None:
    folder = tmp_path / "a:b $c"
    folder.mkdir()
    archive = folder / "old site.tar.xz"
    archive.write_bytes(b"")
    result = site.tutor("local", "restore", "--file", str(archive))
    assert result.exit_code == 0, result.output
    call = site.only_call()
    assert call.environ["OPENEDX_BACKUP_ARCHIVES"] == str(folder)
    assert "'--from=/data/backup/old site.tar.xz'" in call.command


def test_ways_to_choose_an_archive_exclude_each_other(site: Any) -> None:
    result = site.tutor("local", "restore", "--date=2026-11-22", "--name=x")
    assert result.exit_code == 2
    assert "--date and --name" in result.output
    assert site.tutor("local", "restore", "--date=2026-02-30").exit_code == 2
    assert site.tutor("local", "backup", "--compression=lzma").exit_code == 2
    assert site.calls() == []


def test_looking_at_archives_needs_no_servers(site: Any, tmp_path: Any) -> None:
    site.tutor("local", "backups", "list")
    site.tutor("local", "backups", "inspect", "--tables")
    site.tutor("local", "backups", "verify", "--quick")
    result = site.tutor("local", "backups", "extract", "--to", str(tmp_path / "out put"))
    assert result.exit_code == 0, result.output
    assert f"It is in {tmp_path / 'out put'}." in result.output
    calls = site.calls()
    assert {call.service for call in calls} == {"backup-archive-job"}
    listed, inspected, verified, extracted = (call.command for call in calls)
    assert listed == f"exec tutor-backup list {CONFIG}"
    assert inspected == f"exec tutor-backup inspect {CONFIG} --tables"
    assert verified == f"exec tutor-backup verify {CONFIG} --quick"
    assert extracted == f"exec tutor-backup --as-owner extract {CONFIG} --to '/target/out put'"
    assert calls[-1].environ["OPENEDX_BACKUP_TARGET"] == str(tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        ("backup",),
        ("restore", "--yes"),
        ("backups", "list"),
        ("backups", "verify", "--against-live"),
        ("backups", "extract", "--to=new"),
    ],
)
def test_all_that_has_to_be_there_for_a_mount_is_there(
    site: Any, answers: Any, command: Any
) -> None:
    """Docker makes the source of a mount in the short form, but not of one in the long form."""
    if command[0] == "restore":
        answers(skipped=False)
    assert site.tutor("local", *command).exit_code == 0
    call = site.only_call()
    for volume in site.jobs()[call.service]["volumes"]:
        if isinstance(volume, dict):
            variable = re.fullmatch(r"\$\{(\w+):-(.*)\}", volume["source"])
            assert variable
            name, otherwise = variable.groups()
            if name == "OPENEDX_BACKUP_SUMMARY":
                # Gone by now; the fake engine has written into it.
                assert call.environ[name]
                continue
            source = call.environ.get(name) or site.path("local", otherwise)
            assert os.path.isdir(source), volume


def test_comparing_with_the_live_site_reads_it(site: Any) -> None:
    site.tutor("local", "backups", "verify", "--against-live")
    call = site.only_call()
    assert call.service == "backup-job"
    # `tutor config save` writes it anew on a host that a site was moved to.
    assert call.command.endswith("--exclude=config --against-live")


@pytest.mark.parametrize("status", [1, 2, 3, 4, 5, 130])
def test_the_engines_status_is_the_commands(site: Any, answers: Any, status: int) -> None:
    answers(status=status)
    result = site.tutor("local", "backup")
    assert result.exit_code == status
    assert "Traceback" not in result.output


def test_death_by_a_signal_is_no_success(site: Any, answers: Any) -> None:
    answers(status=-9)
    result = site.tutor("local", "backup")
    assert result.exit_code == 137
    assert "killed" in result.output


def test_a_missing_image_is_explained(
    site: Any, answers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(status=1)
    assert "images build" not in site.tutor("local", "backup").output
    monkeypatch.setenv("FAKE_IMAGE", "missing")
    result = site.tutor("local", "backup")
    assert result.exit_code == 1
    assert "tutor images build backup" in result.output


@pytest.mark.parametrize("status", [126, 127])
def test_an_image_without_the_engine_is_explained(site: Any, answers: Any, status: int) -> None:
    site.set(BACKUP_DOCKER_IMAGE="docker.io/backup:v4.1.0")
    site.render()
    answers(status=status)
    result = site.tutor("local", "backup")
    assert result.exit_code == status
    assert "docker.io/backup:v4.1.0 does not hold this plugin's engine" in result.output
    assert "tutor images build backup" in result.output
    assert "--unset BACKUP_DOCKER_IMAGE" in result.output


def test_another_status_is_named(site: Any, answers: Any) -> None:
    answers(status=125)
    result = site.tutor("local", "backup")
    assert result.exit_code == 125
    assert "status 125" in result.output


def test_a_folder_that_cannot_be_written_is_named(site: Any) -> None:
    site.path("backup").write_text("in the way")
    result = site.tutor("local", "backup")
    assert isinstance(result.exception, TutorError)
    assert str(site.path("backup")) in str(result.exception)


def test_an_environment_of_the_predecessor_is_refused(site: Any) -> None:
    jobs = site.path("local", "docker-compose.jobs.yml")
    jobs.write_text("services:\n  backup-job:\n    image: docker.io/backup:v4.1.0\n")
    result = site.tutor("local", "backup")
    assert result.exit_code == 1
    assert "tutor config save" in str(result.exception)
    assert site.calls() == []


def test_hostile_values_reach_the_engine_whole(site: Any) -> None:
    mysql = "a$b${c}'d\"e\\f #g{{h}}{%i%} %j`k`;l\té€😀\x7f"
    mongodb = "'\"\\$$"
    databases = ["o p'e\"n$e\\d#x", "{{notes}}"]
    site.set(
        MYSQL_ROOT_PASSWORD="{% raw %}" + mysql.replace("{%i%}", "") + "{% endraw %}",
        MONGODB_USERNAME="me: you",
        MONGODB_PASSWORD=mongodb,
        BACKUP_MYSQL_DATABASES=[databases[0]],
    )
    assert site.tutor("local", "backup").exit_code == 0
    call = site.only_call()
    settings = engine_settings(call)
    secret = mysql.replace("{%i%}", "")
    assert settings["mysql-password"] == secret
    assert settings["mongodb-password"] == mongodb
    assert settings["mongodb-user"] == "me: you"
    assert settings["mysql-databases"] == [databases[0]]
    told = "\n".join([*call.full, *call.environ.values()])
    assert secret not in told
    assert secret not in site.path("local", "docker-compose.jobs.yml").read_text()


def test_only_the_operator_can_read_the_settings_file(site: Any) -> None:
    site.tutor("local", "backup")
    folder = site.path("plugins", "backup")
    (job,) = [path for path in folder.iterdir() if path.name.startswith("job-")]
    assert stat.S_IMODE(job.stat().st_mode) == 0o700
    assert [path.name for path in job.iterdir()] == ["settings.toml"]
    assert stat.S_IMODE((job / "settings.toml").stat().st_mode) == 0o600


def test_the_operators_time_zone_names_archives(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.tutor("local", "backup")
    assert site.only_call().environ["TZ"] == "Europe/Zurich"


def test_caddy_that_is_off_is_left_out_and_named(site: Any) -> None:
    off = site.tutor("local", "backup")
    assert "Caddy is left out: ENABLE_HTTPS is off" in off.output
    refused = site.tutor("local", "backup", "--only=caddy")
    assert refused.exit_code == 1
    site.set(ENABLE_HTTPS=True)
    stale = site.tutor("local", "backup")
    assert "tutor config save" in str(stale.exception)
    site.render()
    on = site.tutor("local", "backup")
    assert "left out" not in on.output
    first, second = (engine_settings(call) for call in (site.calls()[0], site.calls()[-1]))
    # The same file, written anew by each run.
    assert first == second
    assert second["caddy"] == "/caddy"


def test_after_a_restore_what_remains_is_said(site: Any) -> None:
    result = site.tutor("local", "restore", "--yes")
    assert "tutor local restart openedx" in result.output
    assert compat.init_command("local") in result.output
    assert hasattr(tutor_compose, "do") == ("do init" in result.output)
    assert "tutor config save" not in result.output
    result = site.tutor("local", "restore", "--yes", "--only=config")
    assert "tutor config save" in result.output
    assert compat.init_rebuilds_search_index() == ("reindex_course" not in result.output)
    assert compat.init_rebuilds_search_index() == compat.has_private_media()  # Tutor 19


def test_restart_restarts_what_runs(site: Any, answers: Any) -> None:
    answers(running="caddy lms mysql lms-worker")
    assert site.tutor("local", "restore", "--yes", "--restart").exit_code == 0
    words = [call.words for call in site.calls()]
    assert words[-1] == ["restart", "lms", "lms-worker"]


def test_a_restore_with_warnings_is_still_followed_by_the_restart(site: Any, answers: Any) -> None:
    answers(status=3, running="lms")
    assert site.tutor("local", "restore", "--yes", "--restart").exit_code == 3
    assert site.calls()[-1].words == ["restart", "lms"]


@pytest.mark.parametrize("status", [0, 1, -9])
def test_services_are_started_again_also_after_a_failure(
    site: Any, answers: Any, status: int
) -> None:
    answers(status=status, running="lms cms mysql")
    result = site.tutor("local", "restore", "--yes", "--stop-services")
    assert (result.exit_code == 0) == (status == 0)
    assert [call.words[0] for call in site.calls()] == ["stop", "run", "start"]
    assert site.calls()[0].words == ["stop", "lms", "cms"]
    assert site.calls()[2].words == ["start", "lms", "cms"]


def test_services_that_do_not_run_are_not_started(site: Any, answers: Any) -> None:
    answers(running="mysql mongodb")
    assert site.tutor("local", "restore", "--yes", "--stop-services").exit_code == 0
    assert [call.words[0] for call in site.calls()] == ["run"]


def test_a_standbys_restore_by_a_timer(site: Any) -> None:
    site.tutor("local", "restore", "--yes", "--skip-applied", "--max-age=2d")
    assert site.only_call().command.endswith(
        f"{RESTORE} --exclude=config --yes --skip-applied=true --max-age=2d"
    )
    for other in ("--undo", "--drop-old"):
        result = site.tutor("local", "restore", "--skip-applied", other)
        assert result.exit_code == 2
        assert "--skip-applied" in result.output and other in result.output
    assert len(site.calls()) == 1


def test_whom_a_run_reports_to(site: Any) -> None:
    site.tutor("local", "backup")
    names = ("metrics-pushgateway-url", "metrics-labels", "ping-url", "webhook-url")
    assert not engine_settings(site.calls()[0]).keys() & {*names}
    urls = {
        "metrics-pushgateway-url": "https://u:p@push.example.org",
        "ping-url": "https://hc-ping.com/uuid",
        "webhook-url": "http://hooks.example.org/?a=$b",
    }
    for name, url in urls.items():
        site.set(**{"BACKUP_" + name.upper().replace("-", "_"): url})
    site.set(BACKUP_METRICS_LABELS=["site=campus", "rack=1"])
    site.tutor("local", "backup")
    call = site.calls()[-1]
    told = engine_settings(call)
    assert {name: told[name] for name in urls} == urls
    assert told["metrics-labels"] == ["site=campus", "rack=1"]
    shown = "\n".join([*call.full, *call.environ.values()])
    assert not [url for url in urls.values() if url in shown]
