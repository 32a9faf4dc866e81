"""What the templates in templates/backup/schedule/ need beyond settings."""

from __future__ import annotations

import os
import pwd
import shutil
import sys

from tutor.exceptions import TutorError

from . import compat


def user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def command() -> list[str]:
    """The command that the timer runs: this Tutor, with this root."""
    return [_tutor(), "--root", os.path.abspath(compat.root() or "."), "local", "backup"]


def _tutor() -> str:
    called = os.path.abspath(sys.argv[0])
    if os.path.basename(called) == "tutor" and os.access(called, os.X_OK):
        return called
    return shutil.which("tutor") or "tutor"


def exec_start() -> str:
    """The command as an ExecStart= line has it."""
    return " ".join(_systemd_quoted(word) for word in command())


def plugins_root() -> str:
    """An Environment= line's value; empty when Tutor looks at the usual place for plugins."""
    path = os.environ.get("TUTOR_PLUGINS_ROOT")
    return f'"TUTOR_PLUGINS_ROOT={_systemd_escaped(path)}"' if path else ""


def _systemd_quoted(word: str) -> str:
    return '"' + _systemd_escaped(word).replace("$", "$$") + '"'


def _systemd_escaped(word: str) -> str:
    if "\n" in word:
        raise TutorError(f"a schedule cannot be made for a path with a line end in it: {word!r}")
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def cron_command() -> str:
    """The command as a cron table has it: a shell's words, in which cron reads % as a line end."""
    words = command()
    path = os.environ.get("TUTOR_PLUGINS_ROOT")
    if path:
        words = ["env", f"TUTOR_PLUGINS_ROOT={path}", *words]
    return " ".join(_shell_quoted(word) for word in words).replace("%", "\\%")


def _shell_quoted(word: str) -> str:
    if "\n" in word:
        raise TutorError(f"a schedule cannot be made for a path with a line end in it: {word!r}")
    return "'" + word.replace("'", "'\\''") + "'"
