"""Ctrl-C and a service manager's stop, on the real command in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest


@pytest.fixture()
def restore(site: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Starts a restore whose engine takes a while; gives the process when the engine runs."""
    site.set(PLUGINS=["backup"])
    monkeypatch.delenv("TUTOR_IGNORE_ENTRYPOINT_PLUGINS")
    monkeypatch.setenv("FAKE_PATIENCE", "60")
    monkeypatch.setenv("FAKE_RUNNING", "lms")

    def start() -> subprocess.Popen[str]:
        main = "from tutor.commands.cli import main; main()"
        arguments = ["--root", str(site.root), "local", "restore", "--yes", "--stop-services"]
        process = subprocess.Popen(
            [sys.executable, "-c", main, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert process.stdout
        for line in process.stdout:
            if line == "running\n":
                return process
        raise AssertionError(f"it ended with status {process.wait()}")

    return start


def finish(process: subprocess.Popen[str]) -> int:
    begun = time.monotonic()
    process.communicate(timeout=20)
    assert time.monotonic() - begun < 20
    return process.returncode


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_services_are_started_again(site: Any, restore: Any, number: int, status: int) -> None:
    process = restore()
    # To all of its processes, as a terminal and a service manager do.
    os.killpg(process.pid, number)
    assert finish(process) in (status, 130)
    assert [call.words[0] for call in site.calls()] == ["stop", "run", "start"]
