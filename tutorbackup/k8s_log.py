"""A pod's log on the operator's screen, as it comes."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from contextlib import closing
from typing import Any

from tutor import fmt

from . import k8s_pod, k8s_state
from .kubectl import Kubectl, KubectlError

RETRY_SECONDS = 1.0
# How often the log of a container that has ended is asked for.
_LOG_TRIES = 5
_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T")
_SECOND = len("2026-11-26T10:00:00")


class PodLog:
    """Shows what a pod logs, each line once, however often the connection is lost."""

    def __init__(self, kubectl: Kubectl):
        self._kubectl = kubectl
        self._pod = ""
        self._since = ""  # time of the last line
        self._recent: Counter[tuple[str, str]] = Counter()  # lines of that second
        self._said = ""

    def follow(self, pod: dict[str, Any]) -> bool:
        """Until the container ends, or the connection does. What goes wrong is said, and no more:
        how the run ends is told without its log. Whether another try may show more."""
        try:
            self._show(pod["metadata"]["name"])
        except KubectlError as error:
            # The node removes an evicted pod's log at once.
            if k8s_state.has_no_log(error.text):
                return False
            if error.text != self._said:
                fmt.echo_info(f"The pod's log cannot be read now: {error.text}")
                self._said = error.text
            return True
        return False

    def show_the_rest(self, pod: dict[str, Any]) -> None:
        """Of a container that has ended."""
        for left in reversed(range(_LOG_TRIES)):
            if not self.follow(pod):
                return
            if left:
                time.sleep(RETRY_SECONDS)
        fmt.echo_alert("The end of the pod's log could not be read, and is not shown.")

    def _show(self, name: str) -> None:
        if name != self._pod:
            self._pod, self._since = name, ""
            self._recent.clear()
        # --since-time knows whole seconds alone. Times are no names of lines: some nodes give all
        # that came at once the same one, and those of errors and output can change places.
        again = Counter(self._recent)
        with closing(self._kubectl.logs(name, k8s_pod.CONTAINER, self._since)) as lines:
            for line in lines:
                stamp, _, text = line.rstrip("\n").partition(" ")
                # What the node says in the place of a log that is gone has no time.
                if not _TIME.match(stamp):
                    continue
                if again[stamp, text] > 0:
                    again[stamp, text] -= 1
                    continue
                if stamp[:_SECOND] != self._since[:_SECOND]:
                    self._recent.clear()
                self._since = stamp
                self._recent[stamp, text] += 1
                sys.stdout.write(text + "\n")
                sys.stdout.flush()
