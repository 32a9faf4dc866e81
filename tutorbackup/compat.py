"""All that differs among Tutor's releases, 13.2 to 22, each with its reason. Nothing else asks
which release it runs on.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import Any, Callable

import click
from tutor import env, utils
from tutor.commands import compose as tutor_compose
from tutor.commands.context import Context
from tutor.exceptions import TutorError

# All releases put a command's status into the message of their error, and nowhere else.
_STATUS = re.compile(r"Command failed with status (\d+): ")
_SIGNALLED = 128


def run_task(runner: Any, service: str, command: str) -> int:
    """Runs the command in the service's job container and gives its exit status, as a shell would.

    Tutor 15 renamed `run_job` to `run_task`. All releases raise an error for a positive status, and
    return the negative number of the signal that ended Compose as if nothing had happened. A test's
    runner returns None.
    """
    run = getattr(runner, "run_task", None) or runner.run_job
    return _status(lambda: run(service, command))


def compose(runner: Any, *command: str) -> int:
    """Runs Compose with the project's files, as `run_task` gives its status."""
    return _status(lambda: runner.docker_compose(*command))


def _status(run: Callable[[], int | None]) -> int:
    try:
        result = run() or 0
    except TutorError as error:
        found = _STATUS.match(str(error))
        if not found:
            raise
        return int(found.group(1))
    return result if result >= 0 else _SIGNALLED - result


def compose_output(runner: Any, *command: str) -> str:
    """What Compose prints; empty when it fails. `docker_compose_output` came with Tutor 19, and it
    prints the command first: this is for questions that the operator did not ask."""
    files: list[str] = []
    for path in runner.docker_compose_files:
        if os.path.exists(path):
            files += ["-f", path]
    full = [*_compose_command(), *files, "--project-name", runner.project_name, *command]
    try:
        done = subprocess.run(full, stdout=subprocess.PIPE, check=False)
    except OSError:
        return ""  # There is no Docker; Tutor will say so.
    return done.stdout.decode() if done.returncode == 0 else ""


def _compose_command() -> tuple[str, ...]:
    """Up to an early 14 Tutor calls docker-compose, then it chooses (by this function of its own),
    from 16 on it calls `docker compose`. The one that Tutor uses has to be asked, as the two name
    containers differently.
    """
    choose = getattr(utils, "_docker_compose_command", None)
    if choose is not None:
        return tuple(choose())
    return ("docker", "compose") if _has_do() else ("docker-compose",)


def _has_do() -> bool:
    """`tutor local do` came with Tutor 15."""
    return hasattr(tutor_compose, "do")


def root() -> str:
    """Tutor's root while it renders, which no release tells templates; empty: unknown."""
    current = click.get_current_context(silent=True)
    known = current.find_object(Context) if current else None
    found: str = known.root if known else os.environ.get("TUTOR_ROOT", "")
    return found


def init_command(mode: str) -> str:
    return f"tutor {mode} do init" if _has_do() else f"tutor {mode} init"


def init_rebuilds_search_index() -> bool:
    """From Tutor 19 on, with Meilisearch."""
    return _template_holds("reindex_course", "jobs", "init", "cms.sh")


def has_private_media() -> bool:
    """Tutor 19 gave Open edX a second media folder."""
    return _template_holds("openedx-media-private", "local", "docker-compose.yml")


def _template_holds(text: str, *path: str) -> bool:
    """Asks Tutor's own template, as the number of a nightly says little about it."""
    full = os.path.join(env.TEMPLATES_ROOT, *path)
    if not os.path.exists(full):
        return False
    with open(full, encoding="utf-8") as template:
        return text in template.read()
