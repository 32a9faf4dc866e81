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
from typing import Any

FOLDER = Path(sys.argv[1])
WORDS = sys.argv[2:]
STAMP = "2026-11-26T10:00:{:02}.5Z"


def load(name: str) -> Any:
    path = FOLDER / name
    return json.loads(path.read_text()) if path.exists() else {}


def fail(text: str) -> None:
    print(text, file=sys.stderr)
    sys.exit(1)


def plain() -> list[str]:
    return [word for word in WORDS if not word.startswith("--")]


def show(found: Any) -> None:
    if found is not None:
        print(json.dumps(found))


def items(found: list[Any]) -> None:
    show({"kind": "List", "items": found})


class Cluster:
    def __init__(self) -> None:
        self.scenario = load("scenario.json")
        self.state = load("state.json") or {"objects": {}, "looks": -1, "failed": {}}

    def save(self) -> None:
        (FOLDER / "state.json").write_text(json.dumps(self.state))

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
                fail(text)

    def get(self) -> None:
        what = plain()[1]
        if what == "pods":
            self.state["looks"] += 1
            self.save()
            items(self.pods())
        elif what == "events":
            items(self.scenario.get("events", []))
        elif what == "deployments":
            items(self.scenario.get("deployments", []))
        else:
            found = self.state["objects"].get(what)
            if found and what.startswith("job/") and not self.suspended(found):
                frame = self.frame()
                found["status"] = frame.get("job", {})
                found["metadata"].update(frame.get("metadata", {}))
                found = None if frame.get("gone") else found
            show(found)

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
            fail(f'Error from server (AlreadyExists): "{key}" already exists')
        made["metadata"]["uid"] = f"uid-{len(self.state['objects'])}"
        made["metadata"]["creationTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.state["objects"][key] = made
        self.save()
        show(made)

    def patch(self) -> None:
        change = json.loads(next(w for w in WORDS if w.startswith("--patch="))[len("--patch=") :])
        self.state["objects"][plain()[1]]["spec"].update(change["spec"])
        self.save()

    def delete(self) -> None:
        for what in plain()[1:]:
            self.state["objects"].pop(what, None)
        (FOLDER / "deleted").touch()
        self.save()

    def logs(self) -> None:
        pod = plain()[1].partition("/")[2]
        since = next((w.partition("=")[2] for w in WORDS if w.startswith("--since-time=")), "")
        lines = self.scenario.get("logs", {}).get(pod, [])
        for number, line in enumerate(lines):
            stamp = STAMP.format(number)
            # Whole seconds, as the real one.
            if stamp[:19] >= since[:19]:
                print(stamp, line, flush=True)
        if self.scenario.get("endless"):
            # A container that runs until the Job is deleted, and says something at its end.
            signal.signal(signal.SIGINT, lambda *_: sys.exit(1))
            while not (FOLDER / "deleted").exists():
                time.sleep(0.02)
            print(STAMP.format(59), "stopped cleanly", flush=True)


def main() -> None:
    text = sys.stdin.read() if "--filename=-" in WORDS else ""
    record = {"arguments": WORDS, "input": text, "environ": dict(os.environ)}
    with open(FOLDER / "calls", "a", encoding="utf-8") as calls:
        calls.write(json.dumps(record) + "\n")
    cluster = Cluster()
    cluster.fault(" ".join(plain()))
    verb = plain()[0]
    if verb in ("create", "apply"):
        cluster.create(text)
    elif verb in ("scale", "rollout", "wait"):
        pass
    else:
        getattr(cluster, verb)()


if __name__ == "__main__":
    main()
