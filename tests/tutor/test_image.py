"""What goes into the image: the base's check, the launcher, the list of packages."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import tutorbackup.plugin

CONTEXT = Path(tutorbackup.plugin.HERE) / "templates" / "backup" / "build" / "backup"
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("release", "taken"),
    [
        ("ID=debian\nVERSION_ID=12", True),
        ('ID=debian\nVERSION_ID="13"', True),
        ("ID=debian\nVERSION_CODENAME=sid", True),
        ('ID=ubuntu\nVERSION_ID="24.04"', True),
        ('ID=ubuntu\nVERSION_ID="26.04"', True),
        ('ID=debian\nVERSION_ID="11"', False),
        ('ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"', False),
        ("ID=alpine\nVERSION_ID=3.22.0", False),
        ("ID=fedora\nVERSION_ID=43", False),
        ("", False),
    ],
)
def test_an_older_base_stops_the_build(tmp_path: Path, release: str, taken: bool) -> None:
    path = tmp_path / "os-release"
    path.write_text(release + "\n")
    done = subprocess.run(
        ["sh", str(CONTEXT / "check-base"), str(path)], capture_output=True, text=True
    )
    assert (done.returncode == 0) == taken
    if not taken:
        assert "BACKUP_BASE_IMAGE" in done.stderr
    if "22.04" in release:
        assert "Ubuntu 22.04.5 LTS" in done.stderr


def test_the_dockerfile_installs_what_building_needs() -> None:
    """The same as scripts/install-deps, but for the compiler cache."""
    script = REPOSITORY / "scripts" / "install-deps"
    if not script.exists():
        pytest.fail("the test runs in the repository or an unpacked sdist")
    needed = re.search(r"build_packages=\(([^)]*)\)", script.read_text())
    assert needed
    dockerfile = (CONTEXT / "Dockerfile").read_text()
    first = dockerfile[: dockerfile.index("WORKDIR")]
    listed = set(re.findall(r"[a-z][a-z0-9+.-]+", first.partition("recommends")[2]))
    assert set(needed.group(1).split()) - {"ccache"} <= listed


@pytest.fixture()
def launcher(tmp_path: Path) -> list[str]:
    """The launcher with an engine that says who it is and what it was told."""
    programs = tmp_path / "programs"
    programs.mkdir()
    engine = programs / "openedx-backup"
    engine.write_text('#!/bin/sh\nid -u\nprintf "%s\\n" "$@"\nexit 4\n')
    engine.chmod(0o755)
    job = tmp_path / "job"
    job.mkdir()
    text = (CONTEXT / "tutor-backup").read_text()
    script = tmp_path / "tutor-backup"
    script.write_text(text.replace("/run/openedx-backup", str(job)).replace("=60", "=3"))
    tmp_path.chmod(0o755)
    return ["env", f"PATH={programs}:{os.environ['PATH']}", "bash", str(script)]


def run(launcher: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*launcher, *arguments], capture_output=True, text=True)


def test_the_launcher_becomes_the_engine(launcher: list[str]) -> None:
    done = run(launcher, "backup", "--name=a b")
    assert done.returncode == 4
    assert done.stdout.splitlines() == [str(os.getuid()), "backup", "--name=a b"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_the_launcher_becomes_the_owner_who_reads_everything(
    launcher: list[str], tmp_path: Path
) -> None:
    os.chown(tmp_path / "job", 12345, 12345)
    secret = tmp_path / "secret"
    secret.write_text("read\n")
    secret.chmod(0o600)
    (tmp_path / "programs" / "openedx-backup").write_text(
        f"#!/bin/sh\nid -u; id -g; cat {secret}; touch {tmp_path}/new\n"
    )
    # Pytest keeps its folders to their owner; the container's are open.
    rights = "-all,+dac_override,+setuid,+setgid"
    limited = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}", "--"]
    done = run([*limited, *launcher], "--as-owner", "backup")
    assert done.stdout.splitlines() == ["12345", "12345", "read"], done.stderr
    assert (tmp_path / "new").stat().st_uid == 12345


def test_the_launcher_waits_for_a_server_that_is_starting(launcher: list[str]) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        done = run(launcher, "--wait", f"127.0.0.1:{port}", "list")
    assert done.stderr == ""
    assert "list" in done.stdout


def test_the_launcher_lets_the_engine_say_that_a_server_is_gone(launcher: list[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    done = run(launcher, "--wait", f"127.0.0.1:{port}", "list")
    assert time.monotonic() - begun < 10
    assert done.returncode == 4
    assert done.stderr == f"waiting for 127.0.0.1:{port}\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a namespace of processes")
def test_the_launcher_ends_by_a_signal_while_it_waits(launcher: list[str]) -> None:
    """As the first process of its container, which no signal ends that it does not handle."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    patient = launcher[-1]
    text = Path(patient).read_text()
    Path(patient).write_text(text.replace("patience=3", "patience=60"))
    command = ["unshare", "--pid", "--fork", *launcher, "--wait", f"127.0.0.1:{port}", "list"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    assert process.stderr.readline().startswith("waiting for")
    first = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
    begun = time.monotonic()
    os.kill(int(first), signal.SIGTERM)
    process.communicate()
    assert process.returncode == 130
    assert time.monotonic() - begun < 30
