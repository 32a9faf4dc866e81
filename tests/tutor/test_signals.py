"""Ctrl-C, a service manager's stop, and the terminal, on the real command in its own process."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from typing import Any

import pytest


@pytest.fixture()
def restore(installed: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Starts a restore whose engine takes a while; gives the process when the engine runs."""
    monkeypatch.setenv("FAKE_PATIENCE", "60")
    monkeypatch.setenv("FAKE_RUNNING", "lms")

    def start() -> subprocess.Popen[str]:
        process: subprocess.Popen[str] = installed.start(
            *("local", "restore", "--yes", "--stop-services"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
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


@pytest.mark.parametrize("terminal", [True, False])
def test_the_engine_gets_the_terminal_for_its_bar_and_its_question(
    installed: Any, terminal: bool
) -> None:
    ours, theirs = pty.openpty()
    stdin = theirs if terminal else subprocess.DEVNULL
    process = installed.start("local", "restore", stdin=stdin, stdout=theirs, stderr=theirs)
    assert process.wait() == 0
    os.close(ours)
    os.close(theirs)
    # Compose's word for "without a terminal".
    assert ("-T" in installed.only_call().words) != terminal
