"""Plays kubectl and a cluster behind it, for faults that no real one shows on demand (that is in
tests/tutor/k8s-e2e).

Runs with the name of a folder: `calls` gets a line of JSON for each call; `scenario.json` says
what happens; `state.json` is what is in the cluster. A scenario's frames are what successive looks
at the pods show; the last one stays.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, TextIO

STAMP = "2026-11-26T10:00:{:02}.5Z"


class FailureError(Exception):
    """What kubectl says on its standard error; its status is 1 then."""


class Cluster:
    def __init__(self, folder: Path, words: list[str], output: TextIO):
        self.folder = folder
        self.words = words
        self.text = ""
        self.output = output
        self.plain = [word for word in words if not word.startswith("--")]
        self.scenario = self.load("scenario.json")
        self.state = self.load("state.json") or {"objects": {}, "looks": -1, "failed": {}}

    def call(self, text: str) -> None:
        self.text = text
        record = {"arguments": self.words, "input": text, "environ": dict(os.environ)}
        with open(self.folder / "calls", "a", encoding="utf-8") as calls:
            calls.write(json.dumps(record) + "\n")
        self.fault(" ".join(self.plain))
        verb = self.plain[0]
        if verb in ("create", "apply"):
            self.create(text)
        elif verb not in ("scale", "rollout", "wait"):
            getattr(self, verb)()

    def load(self, name: str) -> Any:
        path = self.folder / name
        return json.loads(path.read_text()) if path.exists() else {}

    def save(self) -> None:
        (self.folder / "state.json").write_text(json.dumps(self.state))

    def show(self, found: Any) -> None:
        if found is not None:
            print(json.dumps(found), file=self.output)

    def items(self, found: list[Any]) -> None:
        self.show({"kind": "List", "items": found})

    def value(self, flag: str) -> str:
        return next((w.partition("=")[2] for w in self.words if w.startswith(flag + "=")), "")

    def frame(self) -> dict[str, Any]:
        frames = self.scenario["frames"]
        found: dict[str, Any] = frames[max(0, min(self.state["looks"], len(frames) - 1))]
        return found

    def fault(self, call: str) -> None:
        for prefix, (text, times) in self.scenario.get("faults", {}).items():
            seen = self.state["failed"].get(prefix, 0)
            if call.startswith(prefix) and seen < times:
                self.state["failed"][prefix] = seen + 1
                self.save()
                raise FailureError(text)

    def config(self) -> None:
        self.show({"users": [{"name": "me", "user": self.scenario.get("user", {})}]})

    def get(self) -> None:
        if self.value("--raw"):
            self.show({"major": "1"})
            return
        what = self.plain[1]
        if what == "pods":
            self.state["looks"] += 1
            self.save()
            look, refusal = self.scenario.get("refused_at_look", [-1, ""])
            if self.state["looks"] == look:
                raise FailureError(refusal)
            self.items(self.pods())
        elif what == "events":
            self.items(self.scenario.get("events", []))
        elif what == "deployments":
            self.items(self.scenario.get("deployments", []))
        else:
            found = self.state["objects"].get(what)
            if found and what.startswith("job/") and not self.suspended(found):
                frame = self.frame()
                found["status"] = frame.get("job", {})
                found["metadata"].update(frame.get("metadata", {}))
                found = None if frame.get("gone") else found
            self.show(found)

    def suspended(self, job: dict[str, Any]) -> bool:
        return bool(job["spec"].get("suspend"))

    def pods(self) -> list[Any]:
        job = self.state["objects"].get("job/backup-restore-job")
        if job is None or self.suspended(job):
            return []
        found = []
        for number, status in enumerate(self.frame().get("pods", [])):
            name = status.get("name", f"backup-restore-job-{number}")
            found.append(
                {
                    "metadata": {
                        "name": name,
                        "uid": name,
                        "creationTimestamp": f"2026-11-26T10:0{number}:00Z",
                        "ownerReferences": [{"uid": job["metadata"]["uid"]}],
                    },
                    "spec": job["spec"]["template"]["spec"],
                    "status": status,
                }
            )
        return found

    def create(self, text: str) -> None:
        made = json.loads(text)
        key = f"{made['kind'].lower()}/{made['metadata']['name']}"
        if key in self.state["objects"]:
            raise FailureError(f'Error from server (AlreadyExists): "{key}" already exists')
        made["metadata"]["uid"] = f"uid-{len(self.state['objects'])}"
        made["metadata"]["creationTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.state["objects"][key] = made
        self.save()
        self.show(made)

    def patch(self) -> None:
        change = json.loads(self.value("--patch"))
        self.state["objects"][self.plain[1]]["spec"].update(change["spec"])
        self.save()

    def delete(self) -> None:
        raw = self.value("--raw")
        for what in [self.job_by_uid(raw)] if raw else self.plain[1:]:
            self.state["objects"].pop(what, None)
        (self.folder / "deleted").touch()
        self.save()

    def job_by_uid(self, path: str) -> str:
        """The one of that path, when it is still the one that is meant."""
        what = "job/" + path.rpartition("/")[2]
        found = self.state["objects"].get(what)
        if found is None:
            raise FailureError("Error from server (NotFound): the server could not find it")
        found["metadata"].update(self.frame().get("metadata", {}))
        if found["metadata"]["uid"] != json.loads(self.text)["preconditions"]["uid"]:
            raise FailureError("Error from server (Conflict): Precondition failed: UID")
        return what

    def logs(self) -> None:
        pod = self.plain[1].partition("/")[2]
        since = self.value("--since-time")
        if since and not since[:4].isdigit():
            raise FailureError(f'error: parsing time "{since}"')
        if self.scenario.get("lost_log"):
            print("unable to retrieve container logs for containerd://1", file=self.output)
        lines = self.scenario.get("logs", {}).get(pod, [])
        for number, line in enumerate(lines):
            # Some nodes give all lines that come at once the same time.
            stamp = STAMP.format(0 if self.scenario.get("at_once") else number)
            # Whole seconds, as the real one.
            if stamp[:19] >= since[:19]:
                print(stamp, line, file=self.output, flush=True)
        if self.scenario.get("endless"):
            # A container that runs until the Job is deleted, and says something at its end.
            signal.signal(signal.SIGINT, lambda *_: sys.exit(1))
            while not (self.folder / "deleted").exists():
                time.sleep(0.02)
            print(STAMP.format(59), "stopped cleanly", file=self.output, flush=True)


def main() -> None:
    folder, *words = sys.argv[1:]
    text = sys.stdin.read() if "--filename=-" in words else ""
    try:
        Cluster(Path(folder), words, sys.stdout).call(text)
    except FailureError as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
