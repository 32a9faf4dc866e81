"""The rendered schedule: systemd and cron take it, and one script installs it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tutorbackup import schedule


@pytest.fixture()
def folder(site: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TUTOR_PLUGINS_ROOT")
    site.set(BACKUP_LOCAL_SCHEDULE="15 2 1 * sun")
    result = site.tutor("config", "save")
    assert result.exit_code == 0, result.output
    return Path(site.path("plugins", "backup", "schedule"))


def test_systemd_takes_the_units(folder: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze, "systemd-analyze is missing; the package systemd has it"
    timer = (folder / "openedx-backup.timer").read_text()
    assert "OnCalendar=*-*-01 02:15:00\nOnCalendar=Sun *-*-* 02:15:00\n" in timer
    # A program that is not there is an error to systemd, and Tutor may stand anywhere.
    service = folder / "openedx-backup.service"
    program = shlex.split(
        next(line for line in service.read_text().splitlines() if line.startswith("ExecStart="))
    )[0].partition("=")[2]
    if not os.path.isabs(program):
        service.write_text(service.read_text().replace(program, "/bin/true"))
    units = [str(folder / "openedx-backup.timer"), str(service)]
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "openedx-backup" in line]
    assert ours == [] and done.returncode == 0, done.stderr


def test_the_unit_runs_this_tutor_with_this_root(folder: Path, site: Any) -> None:
    text = (folder / "openedx-backup.service").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    words = shlex.split(line.partition("=")[2])
    assert os.path.basename(words[0]) == "tutor"
    assert words[1:] == ["--root", str(site.root), "local", "backup"]


def test_the_cron_line_is_one_for_cron_d(folder: Path, site: Any) -> None:
    last = (folder / "openedx-backup.cron").read_text().splitlines()[-1]
    fields = shlex.split(last)
    assert fields[:5] == ["15", "2", "1", "*", "0"]
    assert fields[5] == schedule.user()
    assert fields[7:] == ["--root", str(site.root), "local", "backup"]


def test_hostile_paths_are_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "command", lambda: ["/a b/tu'tor", "--root", '/50%/$x"\\'])
    monkeypatch.setenv("TUTOR_PLUGINS_ROOT", "/p q%")
    assert schedule.exec_start() == '"/a b/tu\'tor" "--root" "/50%%/$$x\\"\\\\"'
    assert schedule.plugins_root() == '"TUTOR_PLUGINS_ROOT=/p q%%"'
    # Cron takes the backslash before a percent sign away, and a shell reads the rest.
    command = schedule.cron_command().replace("\\%", "%")
    assert shlex.split(command) == [
        "env",
        "TUTOR_PLUGINS_ROOT=/p q%",
        "/a b/tu'tor",
        "--root",
        '/50%/$x"\\',
    ]


def install(folder: Path, tmp_path: Path, systemd: bool) -> list[str]:
    """Runs the rendered script with places of its own; gives the names of what is then there."""
    programs, units, tables = tmp_path / "programs", tmp_path / "units", tmp_path / "tables"
    for path in (programs, units, tables):
        path.mkdir(exist_ok=True)
    systemctl = programs / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/systemctl.log\n')
    systemctl.chmod(0o755)
    environ = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "SYSTEMD_UNITS": str(units),
        "CRON_TABLES": str(tables),
        "SYSTEMD_RUNS": str(units if systemd else tmp_path / "nowhere"),
    }
    subprocess.run(["sh", str(folder / "install")], env=environ, check=True, cwd="/")
    return sorted(path.name for path in (*units.iterdir(), *tables.iterdir()))


def unit_name(site: Any) -> str:
    return "openedx-backup-" + str(site.config()["LOCAL_PROJECT_NAME"]).replace("_", "-")


def test_one_script_installs_the_timer_and_takes_it_away(
    folder: Path, site: Any, tmp_path: Path
) -> None:
    name = unit_name(site)
    assert install(folder, tmp_path, systemd=True) == [f"{name}.service", f"{name}.timer"]
    log = (tmp_path / "systemctl.log").read_text()
    assert f"enable --now {name}.timer" in log
    site.set(BACKUP_LOCAL_SCHEDULE="")
    site.render()
    assert install(folder, tmp_path, systemd=True) == []
    assert f"disable --now {name}.timer" in (tmp_path / "systemctl.log").read_text()


def test_without_systemd_it_is_a_cron_table(folder: Path, site: Any, tmp_path: Path) -> None:
    assert install(folder, tmp_path, systemd=False) == [unit_name(site)]
    site.set(BACKUP_LOCAL_SCHEDULE="")
    site.render()
    assert install(folder, tmp_path, systemd=False) == []
