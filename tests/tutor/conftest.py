"""A site in a temporary root, and a `docker` that records how it is called and does nothing.

As in Tutor's own tests (tests/helpers.py there) nothing of the user's is touched; but the recording
is done by a program in PATH, since that is the one seam that is the same on every release.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import click.testing
import pytest
import yaml
from k8s_testing import CallInProcess, FakeCluster
from tutor import config as tutor_config
from tutor import env as tutor_env
from tutor.commands.cli import cli

import tutorbackup.plugin  # noqa: F401  (declares the plugin to Tutor, for the whole process)
from tutorbackup import k8s_job, k8s_log, kubectl

MAIN = "from tutor.commands.cli import main; main()"
# -I and -S: it starts in half the time.
FAKE_DOCKER = """#!{python} -IS
import json, os, signal, sys, time
arguments = sys.argv[1:]
record = {{"arguments": arguments, "environ": dict(os.environ)}}
with open({calls!r}, "a") as calls:
    calls.write(json.dumps(record) + chr(10))
if "ls" in arguments:
    print("[]")
elif "ps" in arguments:
    print(os.environ.get("FAKE_RUNNING", ""))
elif arguments[:2] == ["image", "inspect"]:
    sys.exit(1 if os.environ.get("FAKE_IMAGE") == "missing" else 0)
elif "run" in arguments:
    summary = os.environ.get("FAKE_SUMMARY")
    if summary:
        # As the engine does: in place.
        with open(os.environ["OPENEDX_BACKUP_SUMMARY"], "r+") as file:
            file.write(summary)
    if os.environ.get("FAKE_PATIENCE"):
        # As Compose does: the container ends, then so do we.
        signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
        print("running", flush=True)
        time.sleep(float(os.environ["FAKE_PATIENCE"]))
    status = int(os.environ.get("FAKE_STATUS", "0"))
    if status < 0:
        os.kill(os.getpid(), -status)
    sys.exit(status)
"""


DOING = ("run", "stop", "start", "restart")


class Call:
    """One call of Compose, without the files and the project before its subcommand."""

    def __init__(self, record: dict[str, Any]):
        self.environ: dict[str, str] = record["environ"]
        self.full: list[str] = record["arguments"]
        at = next(at for at, word in enumerate(self.full) if word in DOING)
        self.words: list[str] = self.full[at:]

    @property
    def service(self) -> str:
        return self.words[self.words.index("sh") - 1]

    @property
    def command(self) -> str:
        """What the container's shell runs."""
        assert self.words[-4:-1] == ["sh", "-e", "-c"]
        return self.words[-1]


class Site:
    def __init__(self, root: Path, calls: Path):
        self.root = root
        self.calls_path = calls

    def tutor(self, *arguments: str) -> click.testing.Result:
        runner = click.testing.CliRunner(env={"TUTOR_ROOT": str(self.root)})
        return runner.invoke(cli, list(arguments))

    def start(self, *arguments: str, **streams: Any) -> subprocess.Popen[Any]:
        """The real command in a process and a session of its own; for `installed`."""
        command = [sys.executable, "-c", MAIN, "--root", str(self.root), *arguments]
        return subprocess.Popen(command, start_new_session=True, **streams)

    def set(self, **values: Any) -> None:
        """Into config.yml, as an editor would, without rendering."""
        path = self.root / "config.yml"
        config = yaml.safe_load(path.read_text())
        config.update(values)
        path.write_text(yaml.safe_dump(config))

    def config(self) -> dict[str, Any]:
        return dict(tutor_config.load_full(str(self.root)))

    def render(self) -> None:
        tutor_env.save(str(self.root), tutor_config.load_full(str(self.root)))

    def path(self, *parts: str) -> Path:
        return self.root.joinpath("env", *parts)

    def jobs(self) -> dict[str, Any]:
        """The rendered job services."""
        text = self.path("local", "docker-compose.jobs.yml").read_text()
        return dict(yaml.safe_load(text)["services"])

    def calls(self, mode: str = "local") -> list[Call]:
        """What Compose was told to do with this project. Left out are questions (`ps`), and the
        `stop` by which Tutor keeps `local` and `dev` from running at once.
        """
        if not self.calls_path.exists():
            return []
        records = [json.loads(line) for line in self.calls_path.read_text().splitlines()]
        return [
            Call(record)
            for record in records
            # The name of the project is tutor_local, tutor_main_local on a nightly.
            if any(re.fullmatch(f"tutor.*_{mode}", word) for word in record["arguments"])
            and any(word in DOING for word in record["arguments"])
        ]

    def only_call(self, mode: str = "local") -> Call:
        (call,) = self.calls(mode)
        return call


@pytest.fixture(scope="session")
def rendered_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered by the command, since its first run in a process is what makes plugins known."""
    root = tmp_path_factory.mktemp("rendered") / "root"
    environ = {"TUTOR_ROOT": str(root), "TUTOR_IGNORE_ENTRYPOINT_PLUGINS": "1"}
    result = click.testing.CliRunner(env=environ).invoke(cli, ["config", "save"])
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture()
def site(rendered_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    root = tmp_path / "root"
    shutil.copytree(rendered_root, root)
    programs = tmp_path / "bin"
    programs.mkdir()
    calls = tmp_path / "calls"
    for name in ("docker", "docker-compose"):
        program = programs / name
        program.write_text(FAKE_DOCKER.format(python=sys.executable, calls=str(calls)))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TUTOR_IGNORE_ENTRYPOINT_PLUGINS", "1")
    monkeypatch.setenv("TUTOR_PLUGINS_ROOT", str(tmp_path / "no-plugins"))
    monkeypatch.setenv("TZ", "Europe/Zurich")
    yield Site(root, calls)


@pytest.fixture()
def installed(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """With the plugin as a user enables it, for processes of their own."""
    site.set(PLUGINS=["backup"])
    monkeypatch.delenv("TUTOR_IGNORE_ENTRYPOINT_PLUGINS")
    return site


def played_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    monkeypatch.setattr(k8s_job, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(k8s_log, "RETRY_SECONDS", 0.01)
    return FakeCluster(tmp_path / "cluster")


@pytest.fixture()
def cluster(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A cluster that is played, behind the one place where the plugin starts kubectl."""
    fake = played_cluster(tmp_path, monkeypatch)

    def start(of: kubectl.Kubectl, command: list[str], *_: Any) -> CallInProcess:
        return CallInProcess(fake.folder, [f"--namespace={of.namespace}", *command])

    monkeypatch.setattr(kubectl.Kubectl, "_start", start)
    return fake


@pytest.fixture()
def cluster_by_program(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """The same behind a program `kubectl` in PATH."""
    fake = played_cluster(tmp_path, monkeypatch)
    program = tmp_path / "bin" / "kubectl"
    script = Path(__file__).with_name("fake_kubectl.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{script}" "{fake.folder}" "$@"\n')
    program.chmod(0o755)
    return fake


@pytest.fixture(scope="session")
def kustomize() -> Callable[[Path], str]:
    """Tutor's environment as the real kubectl puts it together."""
    program = shutil.which(os.environ.get("KUBECTL", "kubectl"))
    if program is None:
        pytest.fail("there is no kubectl: put one into PATH, or name it in KUBECTL")

    def run(folder: Path) -> str:
        done = subprocess.run([program, "kustomize", str(folder)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture()
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says how the fake Compose behaves: the status of `run`, the services that run, what the
    engine's summary says."""

    def answer(status: int = 0, running: str = "", **summary: Any) -> None:
        monkeypatch.setenv("FAKE_STATUS", str(status))
        monkeypatch.setenv("FAKE_RUNNING", running.replace(" ", "\n"))
        monkeypatch.setenv("FAKE_SUMMARY", json.dumps(summary) if summary else "")

    return answer
