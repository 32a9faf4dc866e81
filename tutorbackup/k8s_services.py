"""Stops and starts LMS, CMS and their workers in a cluster: by the number of their pods."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from tutor import fmt

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
    """Stops those that run and starts them again, whatever happens in between. An autoscaler leaves
    alone what has no pods."""
    wanted = running(kubectl)
    if not wanted:
        fmt.echo_info("Neither LMS nor CMS is running: nothing to stop.")
    try:
        for name in wanted:
            kubectl.scale(name, 0)
        if wanted:
            # Said before: whoever is killed now leaves a site without them.
            fmt.echo_info("Stopping " + ", ".join(f"{name} ({n})" for name, n in wanted.items()))
            kubectl.wait_for_deletion("pods", _SELECTOR)
        yield
    finally:
        for name, number in wanted.items():
            try:
                kubectl.scale(name, number)
            except KubectlError as error:
                fmt.echo_error(f"{name} could not be started again ({number} pods): {error}")
