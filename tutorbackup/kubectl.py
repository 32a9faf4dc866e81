"""Calls kubectl, as Tutor does: the one in PATH, with its own context, in the site's namespace."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Generator, Sequence

from tutor.exceptions import TutorError

_MISSING = (
    "there is no kubectl in PATH: https://kubernetes.io/docs/tasks/tools/ says how to install it"
)

_REFUSALS = ("Forbidden", "AlreadyExists", "Invalid", "MethodNotAllowed")


class KubectlError(TutorError):
    """kubectl ended with an error; `text` is what it said."""

    def __init__(self, command: str, text: str):
        super().__init__(f"kubectl {command} failed:\n    " + "\n    ".join(text.splitlines()))
        self.text = text

    def is_refusal(self) -> bool:
        """Whether the same call would fail again: no right, a name that is taken, a bad object.
        Most else passes, also what the API server says of a node that does not answer it."""
        return any(f"({reason})" in self.text for reason in _REFUSALS)


class Kubectl:
    """All of kubectl that the plugin needs. Whatever it is given as an object goes through its
    standard input, so no secret is an argument.

    Each call is a session of its own: a Ctrl-C at the terminal is ours to answer.
    """

    def __init__(self, namespace: str):
        self.namespace = namespace

    def log_in(self) -> None:
        """In some clusters a program gets kubectl its token, and may ask for a code or a second
        factor. This is its chance to do so, as no other call has the terminal; what it gets, it
        keeps."""
        if not sys.stdin.isatty():
            return
        config = json.loads(self._run(["config", "view", "--minify", "--output=json"]))
        users = config.get("users") or []
        if any((user.get("user") or {}).get("exec") for user in users):
            # What goes wrong it says itself, and the next call again.
            command = ["kubectl", "get", "--raw=/version"]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)

    def get(self, *what: str) -> Any:
        """One object, or a list's items; None for one that is not there."""
        text = self._run(["get", *what, "--ignore-not-found", "--output=json"])
        found = json.loads(text) if text.strip() else None
        return found["items"] if found and found.get("kind") == "List" else found

    def create(self, one: dict[str, Any]) -> Any:
        """Gives it as the API server has it now."""
        return json.loads(self._run(["create", "--filename=-", "--output=json"], json.dumps(one)))

    def apply(self, one: dict[str, Any]) -> None:
        self._run(["apply", "--filename=-"], json.dumps(one))

    def patch(self, what: str, change: dict[str, Any]) -> None:
        self._run(["patch", what, "--type=merge", f"--patch={json.dumps(change)}"])

    def delete(self, *what: str, wait: bool = True) -> None:
        """With pods and all; one that is gone already is no error."""
        flags = ["--ignore-not-found", "--cascade=foreground"]
        flags += ["--wait=true", "--timeout=300s"] if wait else ["--wait=false"]
        self._run(["delete", *what, *flags])

    def delete_job(self, name: str, uid: str) -> None:
        """This one alone, with its pods, without waiting: another one of its name, or none, is no
        error."""
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Foreground",
            "preconditions": {"uid": uid},
        }
        path = f"/apis/batch/v1/namespaces/{self.namespace}/jobs/{name}"
        try:
            self._run(["delete", f"--raw={path}", "--filename=-"], json.dumps(options))
        except KubectlError as error:
            if "(NotFound)" not in error.text and "(Conflict)" not in error.text:
                raise

    def scale(self, deployment: str, replicas: int) -> None:
        self._run(["scale", f"deployment/{deployment}", f"--replicas={replicas}"])

    def wait_for_deletion(self, kind: str, selector: str) -> None:
        """Of what is there now."""
        try:
            self._run(["wait", kind, selector, "--for=delete", "--timeout=300s"])
        except KubectlError as error:
            if "no matching resources" not in error.text:
                raise

    def restart(self, deployments: Sequence[str]) -> None:
        names = [f"deployment/{name}" for name in deployments]
        self._run(["rollout", "restart", *names])

    def logs(self, pod: str, container: str, since: str) -> Generator[str, None, None]:
        """Lines, each with its time before it, until the container ends, or the connection does."""
        command = ["logs", f"pod/{pod}", f"--container={container}", "--follow", "--timestamps"]
        if since:
            command.append(f"--since-time={since}")
        with self._start(command, subprocess.DEVNULL, subprocess.PIPE) as process:
            try:
                yield from process.stdout or ()
            except BaseException:
                process.terminate()
                raise
            errors = (process.stderr.read() if process.stderr else "").strip()
        if process.returncode != 0:
            raise KubectlError("logs", errors)

    def _run(self, command: list[str], text: str | None = None) -> str:
        source = subprocess.DEVNULL if text is None else subprocess.PIPE
        with self._start(command, source, subprocess.PIPE) as process:
            output, errors = process.communicate(text)
        if process.returncode != 0:
            raise KubectlError(" ".join(command[:2]), errors.strip())
        return output

    def _start(self, command: list[str], source: int, errors: int) -> subprocess.Popen[str]:
        full = ["kubectl", f"--namespace={self.namespace}", *command]
        try:
            return subprocess.Popen(
                full,
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise TutorError(_MISSING) from error
