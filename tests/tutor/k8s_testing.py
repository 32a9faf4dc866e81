"""What tests of `tutor k8s` share: a cluster that is played, and what pods look like in it."""

from __future__ import annotations

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import fake_kubectl
import yaml
from tutor import env as tutor_env

CRON_JOBS = ("CronJob/backup-cron-job", "CronJob/restore-cron-job")
OTHER_CRON_JOBS = ("CronJob/prune-cron-job", "CronJob/verify-cron-job")
POD = "backup-restore-job-0"
HERE = Path(__file__).resolve().parent

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def summary(**fields: Any) -> str:
    """The engine's, as it stands in a termination message."""
    found = {
        "type": "summary",
        "command": "backup",
        "status": "complete",
        "exit_status": 0,
        "archive": "backup.2026-11-26.tar.xz",
        "version": None,
        **fields,
    }
    return json.dumps(found)


def pod(**state: Any) -> dict[str, Any]:
    """A pod's status by its container's state."""
    return {"containerStatuses": [{"name": "backup", "state": state}]}


def ended(status: int = 0, message: str = "", reason: str = "Completed") -> dict[str, Any]:
    return pod(terminated={"exitCode": status, "reason": reason, "message": message})


def condition(kind: str, reason: str = "", message: str = "") -> dict[str, Any]:
    found = {"type": kind, "status": "True", "reason": reason, "message": message}
    return {"conditions": [found]}


RUNNING: dict[str, Any] = {"pods": [pod(running={})], "job": {"active": 1}}


def run_that_ends(status: int = 0, message: str | None = None, **more: Any) -> dict[str, Any]:
    """A scenario: a pod runs and ends; the process's status is the pods' way (3 is 0 there)."""
    text = summary(exit_status=status) if message is None else message
    process = 0 if status == 3 else status
    kind = "Failed" if process else "Complete"
    frames = [RUNNING, {"pods": [ended(process, text)], "job": condition(kind)}]
    return {"frames": frames, "logs": {POD: ["first line", "second line"]}, **more}


class FakeCluster:
    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()
        self.play(**run_that_ends())

    def play(self, **scenario: Any) -> None:
        (self.folder / "scenario.json").write_text(json.dumps(scenario))

    def put(self, key: str, one: dict[str, Any]) -> None:
        state = self.state()
        state["objects"][key] = one
        (self.folder / "state.json").write_text(json.dumps(state))

    def state(self) -> dict[str, Any]:
        path = self.folder / "state.json"
        empty: dict[str, Any] = {"objects": {}, "looks": -1, "failed": {}}
        return dict(json.loads(path.read_text())) if path.exists() else empty

    def objects(self) -> dict[str, Any]:
        return dict(self.state()["objects"])

    def calls(self) -> list[dict[str, Any]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def words(self, verb: str) -> list[list[str]]:
        """Arguments of the calls of this verb, without the namespace."""
        found = [call["arguments"][1:] for call in self.calls()]
        return [words for words in found if words[0] == verb]

    def created(self, kind: str) -> list[dict[str, Any]]:
        made = [json.loads(call["input"]) for call in self.calls() if call["input"]]
        return [one for one in made if one["kind"] == kind]

    def engine(self) -> list[list[str]]:
        """What the engine was told, by each run: its arguments without those that never change."""
        return [engine_arguments(job["spec"]["template"]) for job in self.created("Job")]


class CallInProcess:
    """A call of kubectl without a process, which would take most of a test's time: as much of
    subprocess.Popen as kubectl.py uses."""

    def __init__(self, folder: Path, words: list[str]):
        self.returncode = 0
        self.stdout, self.stderr = io.StringIO(), io.StringIO()
        self._cluster = fake_kubectl.Cluster(folder, words, self.stdout)
        if "--filename=-" not in words:
            self._call("")

    def communicate(self, text: str | None) -> tuple[str, str]:
        if text is not None:
            self._call(text)
        return self.stdout.getvalue(), self.stderr.getvalue()

    def _call(self, text: str) -> None:
        try:
            self._cluster.call(text)
        except fake_kubectl.FailureError as failure:
            self.returncode = 1
            self.stderr.write(str(failure))
        self.stdout.seek(0)
        self.stderr.seek(0)

    def __enter__(self) -> CallInProcess:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def terminate(self) -> None:
        pass


def container(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = template["spec"]["containers"]
    return dict(found)


def engine_arguments(template: dict[str, Any]) -> list[str]:
    words = list(container(template)["args"])
    at = words.index("--config")
    assert words[at + 1] == "/run/openedx-backup/settings.toml"
    # The engine knows it with every command but this one.
    told = [] if words[at - 1] == "inspect" else ["--summary-file", "/dev/termination-log"]
    assert words[at + 2 : at + 2 + len(told)] == told
    del words[at : at + 2 + len(told)]
    assert "--summary-file" not in words
    return words


def read_objects(text: str) -> dict[str, Any]:
    """By kind and name."""
    found = {}
    for one in yaml.safe_load_all(text):
        found[f"{one['kind']}/{one['metadata']['name']}"] = one
    return found


def engine_settings(objects: dict[str, Any]) -> dict[str, Any]:
    return tomllib.loads(objects["ConfigMap/backup-settings"]["data"]["settings.toml"])


def secrets_in(one: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in one["data"].items()}


def text_of(site: Any, **settings: Any) -> str:
    """This one file, as Tutor renders it: all of them take a second."""
    site.set(**settings)
    return str(tutor_env.render_file(site.config(), "backup", "k8s", "objects.yml"))


def rendered(site: Any, **settings: Any) -> dict[str, Any]:
    return read_objects(text_of(site, **settings))


def template_of(objects: dict[str, Any], name: str = CRON_JOBS[0]) -> dict[str, Any]:
    return dict(objects[name]["spec"]["jobTemplate"]["spec"]["template"])


def mounts(template: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {
        mount["mountPath"]: (mount["name"], mount.get("readOnly", False))
        for mount in container(template)["volumeMounts"]
    }


def volumes(template: dict[str, Any]) -> dict[str, Any]:
    return {volume["name"]: volume for volume in template["spec"]["volumes"]}
