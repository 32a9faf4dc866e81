"""Stops and starts what keeps data in memory: LMS, CMS and their workers."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import Any, Iterator

from tutor import fmt
from tutor.exceptions import TutorError

from . import compat, signals

OPENEDX = ("lms", "cms", "lms-worker", "cms-worker")


def running(runner: Any) -> list[str]:
    """Those that run. On a new host none does, and `start` would fail for want of a container."""
    listed = compat.compose_output(runner, "ps", "--services", "--filter", "status=running")
    return [name for name in OPENEDX if name in listed.split()]


def restart(runner: Any) -> int:
    names = running(runner)
    if not names:
        fmt.echo_info("Neither LMS nor CMS is running: nothing to restart.")
        return 0
    return compat.compose(runner, "restart", *names)


@contextmanager
def stopped(runner: Any) -> Iterator[None]:
    """Stops those that run and starts them again, whatever happens in between: an error, Ctrl-C, a
    terminal that goes away, a service manager that stops us."""
    names = running(runner)
    if not names:
        fmt.echo_info("Neither LMS nor CMS is running: nothing to stop.")
        yield
        return
    with signals.handled({signal.SIGTERM: signals.leave, signal.SIGHUP: signals.leave}):
        try:
            if compat.compose(runner, "stop", *names) != 0:
                raise TutorError(f"{', '.join(names)} could not be stopped; nothing was restored")
            yield
        finally:
            if compat.compose(runner, "start", *names) != 0:
                fmt.echo_error(f"Not all of {', '.join(names)} could be started again.")
