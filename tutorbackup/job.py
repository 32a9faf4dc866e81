"""Runs the engine in one of the plugin's job services."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from typing import Any, Iterator, Sequence

from tutor import config as tutor_config
from tutor import env as tutor_env
from tutor import fmt
from tutor.exceptions import TutorError

from . import compat, engine_config, host_files, settings, signals
from .aftermath import Summary

# Job services of the patch, without Tutor's "-job".
LIVE = "backup"
RESTORE = "backup-restore"
ARCHIVE = "backup-archive"
PRUNE = "backup-prune"

# The engine's statuses, which it explains itself; others are Compose's or the kernel's.
_ENGINES = (0, 1, 2, 3, 4, 5, 130)
# 1 is Compose's too.
_ENGINES_ALONE = (2, 3, 4, 5, 130)
_KILLED = 137
# A container's shell that cannot run our launcher, or does not find it.
_NO_LAUNCHER = (126, 127)


class Job:
    """One run of a `tutor local` or `tutor dev` command.

    `context` is Tutor's. `groups`: settings that only some runs need, "s3" where the archives
    are in a bucket, "prune". `with_servers`: whether it speaks with MySQL or MongoDB; else the
    files that this needs may be missing. Changes nothing before `run`. Raises TutorError for
    settings that are not possible, and when the rendered environment does not know these services.
    """

    def __init__(self, context: Any, groups: Sequence[str] = (), with_servers: bool = True):
        self.root: str = context.root
        # By the class of Tutor's context: its NAME came with Tutor 16.
        self.mode = "dev" if type(context).__name__.startswith("Dev") else "local"
        self.config: settings.Config = dict(tutor_config.load(context.root))
        self.runner = context.job_runner(self.config)
        self._groups = tuple(groups)
        # Of its own for these settings: a run beside this one may need others.
        self._settings_file = "-".join(["settings", *sorted(groups)]) + ".toml"
        text = engine_config.render(self.config, groups)
        self._files = {self._settings_file: text.encode("utf-8")}
        if with_servers:
            self._files.update(host_files.of_servers(self.config))
        if "s3" in groups:
            self._files.update(host_files.of_bucket(self.config))
        self._check_environment()

    def path(self, *parts: str) -> str:
        return str(tutor_env.pathjoin(self.root, *parts))

    def run(self, service: str, arguments: list[str], options: dict[str, str] | None = None) -> int:
        """Runs the engine and gives its exit status. `options`: variables for the Compose file."""
        try:
            folder = self._make_folder()
            # Compose would make it too, but as root.
            os.makedirs(self.path("backup"), exist_ok=True)
        except OSError as error:
            raise TutorError(f"cannot write {error.filename}: {error.strerror}") from error
        variables = {
            "OPENEDX_BACKUP_JOB": folder,
            "OPENEDX_BACKUP_FRONT_END": f"tutor {self.mode}",
            **_time_zone(),
            **(options or {}),
        }
        engine = [
            arguments[0],
            "--config",
            f"{engine_config.JOB}/{self._settings_file}",
            *arguments[1:],
        ]
        command = [*self._preparation(service, arguments), *engine]
        # Ctrl-C reaches Compose too, which passes it on, and the engine stops cleanly. By default
        # Tutor would kill Compose at once, and the container would go on alone.
        with _environment(variables), signals.handled({signal.SIGINT: signals.ignore}):
            status = compat.run_task(self.runner, service, f"exec {shlex.join(command)}")
        self._explain(status)
        return status

    def restore(self, arguments: list[str], options: dict[str, str]) -> tuple[int, Summary]:
        """`run` for a restore, with the engine's summary: the status does not tell everything."""
        try:
            # The engine writes it in place, so it stays the operator's. One for each run.
            descriptor, path = tempfile.mkstemp(dir=self._own_folder(), prefix="summary-")
        except OSError as error:
            raise TutorError(f"cannot write {error.filename}: {error.strerror}") from error
        os.close(descriptor)
        told = [arguments[0], f"--summary-file={engine_config.SUMMARY}", *arguments[1:]]
        try:
            status = self.run(RESTORE, told, {**options, "OPENEDX_BACKUP_SUMMARY": path})
            return status, _summary(path)
        finally:
            os.remove(path)

    def _preparation(self, service: str, arguments: list[str]) -> list[str]:
        """The image's launcher and its options (templates/backup/build/backup/tutor-backup)."""
        command = ["tutor-backup"]
        if service not in (ARCHIVE, PRUNE):
            for server in ("MYSQL", "MONGODB"):
                # Whatever is chosen, the engine asks each server for an interrupted restore first.
                # Servers that are not Compose's have no reason to be only just starting.
                if self.config.get(f"RUN_{server}"):
                    host, port = self.config[f"{server}_HOST"], self.config[f"{server}_PORT"]
                    command += ["--wait", f"{host}:{port}"]
        if arguments[0] in ("backup", "extract"):
            command.append("--as-owner")
        return command

    def _own_folder(self) -> str:
        """One for each user: another operator of the same site could not read or replace ours."""
        folder = self.path("plugins", "backup", f"job-{os.getuid()}")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return folder

    def _make_folder(self) -> str:
        """The folder with the settings file, which holds passwords."""
        folder = self._own_folder()
        if "s3" in self._groups:
            # An earlier run's would be found and used.
            for name in {*host_files.OF_BUCKET} - {*self._files}:
                with suppress(FileNotFoundError):
                    os.remove(os.path.join(folder, name))
        for name, content in self._files.items():
            # A run beside this one may be reading it. A temporary file has mode 0600.
            descriptor, temporary = tempfile.mkstemp(dir=folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.replace(temporary, os.path.join(folder, name))
        return folder

    def _check_environment(self) -> None:
        path = self.path("local", "docker-compose.jobs.yml")
        text = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                text = file.read()
        services = (f"{ARCHIVE}-job:", f"{PRUNE}-job:")
        expected = (*services, engine_config.SUMMARY, str(self.config["BACKUP_DOCKER_IMAGE"]))
        caddy = f":{engine_config.CADDY}:" in text
        if all(part in text for part in expected) and caddy == engine_config.caddy_is_on(
            self.config
        ):
            return
        raise TutorError(
            "the environment was rendered by another version of the plugin, or for other settings. "
            "Run:\n\n    tutor config save"
        )

    def _image_is_missing(self) -> bool:
        command = ["docker", "image", "inspect", str(self.config["BACKUP_DOCKER_IMAGE"])]
        done = subprocess.run(
            command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return done.returncode != 0

    def _explain(self, status: int) -> None:
        if status not in (0, *_ENGINES_ALONE) and self._image_is_missing():
            fmt.echo_error(
                f"The image {self.config['BACKUP_DOCKER_IMAGE']} is not on this machine. Run:\n\n"
                "    tutor images build backup    # or: tutor images pull backup"
            )
        elif status == _KILLED:
            fmt.echo_error(
                "The engine was killed (status 137), usually for want of memory: look into the "
                "kernel's log, and at BACKUP_MEMORY and BACKUP_THREADS."
            )
        elif status in _NO_LAUNCHER:
            fmt.echo_error(
                f"The image {self.config['BACKUP_DOCKER_IMAGE']} does not hold this plugin's "
                f"engine (status {status}): it is another image, or the predecessor's. Run:\n\n"
                "    tutor images build backup    # or: tutor images pull backup\n\n"
                "If BACKUP_DOCKER_IMAGE names a version in config.yml, first: "
                "tutor config save --unset BACKUP_DOCKER_IMAGE"
            )
        elif status not in _ENGINES:
            fmt.echo_error(f"The job did not run to its end: status {status}.")


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Sets variables for the programs that Tutor starts."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _summary(path: str) -> Summary:
    """Empty when the engine did not come to write it."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _time_zone() -> dict[str, str]:
    """The operator's, by which archives are named and `--date` is meant; a container's is UTC."""
    if os.environ.get("TZ"):
        return {}
    _, found, name = os.path.realpath("/etc/localtime").partition("/zoneinfo/")
    return {"TZ": name} if found else {}
