"""Stops and starts LMS, CMS and their workers in a cluster: by the number of their pods."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import Any, Iterator

from tutor import fmt

from . import signals
from .k8s_job import StillRunsError
from .kubectl import Kubectl, KubectlError
from .services import OPENEDX

_SELECTOR = f"--selector=app.kubernetes.io/name in ({','.join(OPENEDX)})"


def running(kubectl: Kubectl) -> dict[str, int]:
    """Pods that are wanted, by deployment."""
    found = {}
    for deployment in kubectl.get("deployments", _SELECTOR) or []:
        name, wanted = deployment["metadata"]["name"], deployment["spec"].get("replicas", 1)
        if name in OPENEDX and wanted > 0:
            found[name] = wanted
    return found


def restart(kubectl: Kubectl) -> None:
    names = [*running(kubectl)]
    if names:
        kubectl.restart(names)
        fmt.echo_info(f"{', '.join(names)} are being restarted.")
    else:
        fmt.echo_info("Neither LMS nor CMS is running: nothing to restart.")


@contextmanager
def stopped(kubectl: Kubectl) -> Iterator[None]:
    """Stops those that run and starts them again, whatever happens in between, but not while a Job
    runs that nobody follows any more. An autoscaler leaves alone what has no pods."""
    wanted = running(kubectl)
    if not wanted:
        fmt.echo_info("Neither LMS nor CMS is running: nothing to stop.")
        yield
        return
    handlers = {signal.SIGHUP: _go_on_without_terminal, signal.SIGTERM: signals.leave}
    with signals.handled(handlers):
        try:
            # Said before: whoever is killed now leaves a site without them.
            fmt.echo_info("Stopping " + ", ".join(f"{name} ({n})" for name, n in wanted.items()))
            for name in wanted:
                kubectl.scale(name, 0)
            kubectl.wait_for_deletion("pods", _SELECTOR)
            yield
        except StillRunsError:
            fmt.echo_alert(_how_to_start(kubectl, wanted))
            wanted = {}
            raise
        finally:
            for name, number in wanted.items():
                try:
                    kubectl.scale(name, number)
                except KubectlError as error:
                    fmt.echo_error(f"{name} could not be started again ({number} pods): {error}")


def _how_to_start(kubectl: Kubectl, wanted: dict[str, int]) -> str:
    commands = [
        f"    kubectl scale --namespace={kubectl.namespace} deployment/{name} --replicas={number}"
        for name, number in wanted.items()
    ]
    return "\n".join(
        ["LMS and CMS stay stopped. When the job has ended, start them:", "", *commands]
    )


def _go_on_without_terminal(_number: int, _frame: Any) -> None:
    """What was begun is brought to its end, unseen."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)
