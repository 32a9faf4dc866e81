"""One run of the engine as a Job in the cluster: made, followed, taken away."""

from __future__ import annotations

import secrets
import signal
import time
from contextlib import suppress
from typing import Any, NamedTuple, Sequence

from tutor import fmt
from tutor.exceptions import TutorError

from . import k8s_objects, k8s_state, signals
from .k8s_config import K8sConfig
from .k8s_log import PodLog
from .k8s_state import Summary
from .kubectl import Kubectl, KubectlError

JOB = f"job/{k8s_objects.JOB}"
POLL_SECONDS = 1.0
# A pod that cannot start says why; an autoscaler may still make room for it.
PENDING_SECONDS = 600.0
# A cluster that does not answer may be back in a moment. The job goes on meanwhile.
LOST_SECONDS = 120.0
_INTERRUPTED = 130
_FAILED = 1


class Outcome(NamedTuple):
    status: int  # the engine's own, where it came to say it
    summary: Summary


class StillRunsError(TutorError):
    """There is no answer, and the Job was left alone: it may change data for hours to come."""


class JobRun:
    """Raises TutorError for what is not the engine's: no cluster, no right, a Job that runs."""

    def __init__(self, site: K8sConfig, kubectl: Kubectl):
        self._site = site
        self._kubectl = kubectl
        self._uid = ""
        # Of its own: a run by hand has the settings of now, and leaves the scheduled ones alone.
        self._name = f"{k8s_objects.JOB}-{secrets.token_hex(3)}"
        self._log = PodLog(kubectl)
        self._begun = False  # whether the Job may have been made
        self._said = ""
        self._seen = False  # whether the Job was seen since it was made
        self._leave_it = False

    def run(self, kind: str, arguments: Sequence[str]) -> Outcome:
        """Ends when the Job has ended and is gone. On Ctrl-C the engine ends cleanly first."""
        self._make_way()
        try:
            # By default SIGTERM ends this process and leaves the Job alone, and what a shell runs
            # in the background ignores SIGINT.
            interrupts = dict.fromkeys((signal.SIGINT, signal.SIGTERM), signals.interrupt)
            with signals.handled(interrupts):
                try:
                    self._start(kind, arguments)
                    return self._follow()
                except KeyboardInterrupt:
                    fmt.echo_info("Stopping. Ctrl-C again does not wait for the pod's end.")
                    return self._stop()
        finally:
            self._remove()

    def _make_way(self) -> None:
        """For a Job can be neither changed nor run again: the last one has to go, ours or the
        predecessor's."""
        found = self._kubectl.get(JOB)
        if found is None:
            return
        if k8s_state.comes_from_file(found):
            raise TutorError(
                f"the Job {k8s_objects.JOB} in namespace {self._site.namespace} is from the file "
                "env/plugins/backup/k8s/backup-restore-job.yml. Deleted, it would be made again by "
                "what applies that file, and would restore again. Take the file away there first, "
                "then:"
                f"\n\n    kubectl delete --namespace={self._site.namespace} {JOB}"
            )
        if not (
            k8s_state.has_ended(found)
            or k8s_state.is_being_deleted(found)
            or k8s_state.was_forgotten(found)
        ):
            state = "is being made" if found["spec"].get("suspend") else "is running"
            raise TutorError(
                f"the Job {k8s_objects.JOB} in namespace {self._site.namespace} {state}, since "
                f"{k8s_state.made_at(found)}. Wait for its end, or stop it:\n\n"
                f"    kubectl delete --namespace={self._site.namespace} {JOB}"
            )
        self._kubectl.delete(JOB)

    def _start(self, kind: str, arguments: Sequence[str]) -> None:
        site, kubectl = self._site, self._kubectl
        account = k8s_objects.service_account(site)
        if not site.ours["K8S_SERVICE_ACCOUNT_NAME"]:
            name = account["metadata"]["name"]
            if kubectl.get(f"serviceaccount/{name}") is None:
                # As `tutor k8s start` would, which comes later.
                kubectl.apply(account)
        secret_name = site.ours["K8S_SECRET_NAME"] or self._name
        job = k8s_objects.manual_job(site, kind, arguments, self._name, secret_name)
        self._begun = True
        self._uid = self._create(job)["metadata"]["uid"]
        objects = [k8s_objects.config_map(site, self._name)]
        if not site.ours["K8S_SECRET_NAME"]:
            objects.append(k8s_objects.secret(site, self._name))
        for one in objects:
            # They go with the Job, also when this process is killed.
            one["metadata"]["ownerReferences"] = [self._as_owner()]
            kubectl.create(one)
        kubectl.patch(JOB, {"spec": {"suspend": False}})

    def _create(self, job: dict[str, Any]) -> Any:
        try:
            return self._kubectl.create(job)
        except KubectlError as error:
            if "(AlreadyExists)" not in error.text:
                raise
            raise TutorError(
                f"another command has made the Job {k8s_objects.JOB} at this very moment: "
                "wait for its end"
            ) from error

    def _find_what_was_made(self) -> None:
        """When Ctrl-C came between the Job's making and its answer."""
        if self._uid or not self._begun:
            return
        with suppress(KubectlError):
            found = self._kubectl.get(JOB) or {"metadata": {}}
            if (found["metadata"].get("annotations") or {}).get(k8s_objects.RUN) == self._name:
                self._uid = found["metadata"]["uid"]

    def _as_owner(self) -> dict[str, Any]:
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": k8s_objects.JOB,
            "uid": self._uid,
        }

    def _follow(self) -> Outcome:
        waiting = time.monotonic()
        lost: float | None = None  # since when there is no answer
        while True:
            try:
                job, pod = self._job(), self._pod()
                self._seen = True
                if pod is not None and k8s_state.has_started(pod) and not _is_over(job):
                    self._log.follow(pod)
                    waiting = time.monotonic()
                    # Once more, as that took its time: by now it may have ended.
                    job, pod = self._job(), self._pod() or pod
                if _is_over(job):
                    return self._outcome(job, pod)
                self._say_what_is_waited_for(job, pod, time.monotonic() - waiting)
                lost = None
            except KubectlError as error:
                now = time.monotonic()
                lost = now if lost is None else lost
                self._bear(error, now - lost)
            time.sleep(POLL_SECONDS)

    def _bear(self, error: KubectlError, seconds: float) -> None:
        """An error that may pass does not end a run. A server that has just begun refuses what it
        allows a moment later (kubernetes#121635), so a refusal ends it at its begin alone."""
        if error.is_refusal() and not self._seen:
            raise error
        if seconds > LOST_SECONDS:
            self._leave_it = True
            raise StillRunsError(
                f"the cluster has not answered for {seconds:.0f} seconds. The job runs on "
                f"there. To see it:\n\n    kubectl logs -f --namespace={self._site.namespace} "
                f"{JOB}\n\n{error}"
            ) from error

    def _say_what_is_waited_for(
        self, job: dict[str, Any], pod: dict[str, Any] | None, seconds: float
    ) -> None:
        if pod is None:
            reason = k8s_state.why_no_pod(self._events(job)) if seconds > POLL_SECONDS else ""
        else:
            reason = k8s_state.why_waiting(pod) or k8s_state.why_mounting(self._events(pod))
        if reason and reason != self._said:
            fmt.echo_info(f"Waiting: {reason}")
            self._said = reason
        if seconds > PENDING_SECONDS:
            raise TutorError(
                f"the pod has not started for {seconds / 60:.0f} minutes: {reason or 'no reason'}"
            )

    def _outcome(self, job: dict[str, Any] | None, pod: dict[str, Any] | None) -> Outcome:
        ended = k8s_state.termination(pod)
        if pod is not None and ended:
            self._log.show_the_rest(pod)
        summary = k8s_state.summary_of(ended)
        explanation = k8s_state.explain(self._site, job, pod, ended, summary)
        if explanation:
            fmt.echo_error(explanation)
        status = _status(summary, ended, _FAILED)
        if status == 0 and explanation:
            status = _FAILED
        return Outcome(status, summary)

    def _stop(self) -> Outcome:
        """Deletes the Job, which the engine gets as SIGTERM, and shows how it ends: a restore in
        its swap goes on to its end. The pod, which could tell the status, is gone soon after."""
        ended: dict[str, Any] = {}
        with suppress(KeyboardInterrupt, KubectlError):
            self._find_what_was_made()
            pod = self._pod() if self._uid else None
            if pod is not None:
                self._kubectl.delete_job(k8s_objects.JOB, self._uid)
                if k8s_state.has_started(pod):
                    self._log.follow(pod)
                    ended = k8s_state.termination(self._pod())
        summary = k8s_state.summary_of(ended)
        return Outcome(_status(summary, ended, _INTERRUPTED), summary)

    def _remove(self) -> None:
        self._find_what_was_made()
        if not self._uid or self._leave_it:
            return
        mine = [f"configmap/{self._name}"]
        if not self._site.ours["K8S_SECRET_NAME"]:
            mine.append(f"secret/{self._name}")
        try:
            # By now another one of its name may be somebody else's.
            self._kubectl.delete_job(k8s_objects.JOB, self._uid)
            self._kubectl.delete(*mine, wait=False)
        except KubectlError as error:
            fmt.echo_error(f"Not all could be removed ({', '.join([JOB, *mine])}): {error}")

    def _job(self) -> Any:
        found = self._kubectl.get(JOB)
        return found if found and found["metadata"]["uid"] == self._uid else None

    def _pod(self) -> Any:
        """The newest of the Job's."""
        pods = self._kubectl.get("pods", f"--selector=job-name={k8s_objects.JOB}") or []
        ours = [pod for pod in pods if self._uid in k8s_state.owners(pod)]
        return max(ours, key=k8s_state.made_at, default=None)

    def _events(self, one: dict[str, Any]) -> list[Any]:
        selector = f"--field-selector=involvedObject.uid={one['metadata']['uid']}"
        try:
            return list(self._kubectl.get("events", selector) or [])
        except KubectlError:
            return []  # They only explain; not everybody may read them.


def _is_over(job: dict[str, Any] | None) -> bool:
    return job is None or k8s_state.has_ended(job)


def _status(summary: Summary, ended: dict[str, Any], unknown: int) -> int:
    """The engine's own where it came to say it, else its process's."""
    status = summary.get("exit_status", ended.get("exitCode"))
    return status if isinstance(status, int) else unknown
