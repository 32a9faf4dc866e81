"""What `tutor k8s` says when a run does not come to say it itself, and how it ends on Ctrl-C."""

from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
from typing import Any

import pytest
from k8s_testing import (
    POD,
    RUNNING,
    condition,
    ended,
    pod,
    read_objects,
    run_that_ends,
    summary,
)
from tutor.exceptions import TutorError

from tutorbackup import k8s_job
from tutorbackup.kubectl import Kubectl, KubectlError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_want_of_memory_is_named_with_what_to_do(site: Any, cluster: Any) -> None:
    frames = [RUNNING, {"pods": [ended(137, "", "OOMKilled")], "job": condition("Failed")}]
    cluster.play(frames=frames)
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 137
    assert "512Mi" in result.output and "BACKUP_K8S_RESOURCES" in result.output


def test_a_log_that_the_node_has_lost_is_not_read_as_one(site: Any, cluster: Any) -> None:
    frames = [RUNNING, RUNNING, {"pods": [ended(137, "", "OOMKilled")], "job": condition("Failed")}]
    cluster.play(frames=frames, lost_log=True)
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 137
    assert "512Mi" in result.output and "unable" not in result.output


def test_an_engine_that_ended_well_was_not_killed(site: Any, cluster: Any) -> None:
    """What somebody ran in its container was (seen with cgroups of version 1)."""
    frames = [RUNNING, {"pods": [ended(0, summary(), "OOMKilled")], "job": condition("Complete")}]
    cluster.play(frames=frames)
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 0
    assert "killed" not in result.output


def test_a_deadline_is_named(site: Any, cluster: Any) -> None:
    site.set(BACKUP_K8S_ACTIVE_DEADLINE_SECONDS=60)
    cluster.play(frames=[RUNNING, {"pods": [], "job": condition("Failed", "DeadlineExceeded")}])
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 1
    assert "after 60 seconds (BACKUP_K8S_ACTIVE_DEADLINE_SECONDS)" in result.output


def test_an_evicted_pod_without_a_log_is_explained(site: Any, cluster: Any) -> None:
    evicted = {**ended(130), "reason": "Evicted", "message": "low on memory"}
    text = f'Error from server (BadRequest): container "backup" in pod "{POD}" is terminated'
    cluster.play(
        frames=[RUNNING, {"pods": [evicted], "job": condition("Failed")}],
        faults={"logs": [text, 99]},
    )
    result = site.tutor("k8s", "backup")
    assert "evicted the pod: low on memory" in result.output
    # It is not asked for again and again.
    assert len(cluster.words("logs")) <= 3


def test_an_eviction_is_named(site: Any, cluster: Any) -> None:
    evicted = {"reason": "Evicted", "message": "The node was low on resource: memory."}
    cluster.play(frames=[RUNNING, {"pods": [evicted], "job": condition("Failed")}])
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 1
    assert "evicted the pod: The node was low on resource: memory." in result.output


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            {"reason": "ImagePullBackOff", "message": 'pulling image "x"'},
            "tutor images push backup",
        ),
        ({"reason": "CreateContainerConfigError", "message": 'secret "vault"'}, 'secret "vault"'),
    ],
)
def test_what_keeps_a_pod_from_starting_is_said_and_not_waited_for_for_ever(
    site: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch, state: Any, said: str
) -> None:
    monkeypatch.setattr(k8s_job, "PENDING_SECONDS", 0.5)
    cluster.play(frames=[{"pods": [pod(waiting=state)], "job": {"active": 1}}])
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 1
    assert result.output.count(said) == 1
    assert said in str(result.exception)
    assert "job/backup-restore-job" not in cluster.objects()


def test_a_pod_without_a_node_is_explained_and_then_runs(site: Any, cluster: Any) -> None:
    message = "0/3 nodes are available: 3 Insufficient memory."
    no_node = [{"type": "PodScheduled", "status": "False", "message": message}]
    pending = {"pods": [{"conditions": no_node}], "job": {"active": 1}}
    cluster.play(**{**run_that_ends(), "frames": [pending, pending, *run_that_ends()["frames"]]})
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 0, result.output
    assert result.output.count(f"Waiting: no node for the pod yet: {message}") == 1


def test_a_volume_on_another_node_is_explained(site: Any, cluster: Any) -> None:
    event = {
        "reason": "FailedAttachVolume",
        "message": "Multi-Attach error for volume",
        "lastTimestamp": "2026-11-26T10:00:00Z",
    }
    waiting = {"pods": [pod(waiting={"reason": "ContainerCreating"})], "job": {"active": 1}}
    frames = [waiting, waiting, *run_that_ends()["frames"]]
    cluster.play(**{**run_that_ends(), "frames": frames, "events": [event]})
    assert "The volume is on another node" in site.tutor("k8s", "backup").output


def test_a_pod_that_may_not_be_made_is_explained(
    site: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(k8s_job, "PENDING_SECONDS", 0.5)
    event = {"reason": "FailedCreate", "message": "violates PodSecurity", "lastTimestamp": "x"}
    cluster.play(frames=[{"pods": [], "job": {}}], events=[event])
    assert "violates PodSecurity" in str(site.tutor("k8s", "backup").exception)


def test_another_image_is_named(site: Any, cluster: Any) -> None:
    text = 'exec: "tutor-backup": executable file not found in $PATH'
    frames = [RUNNING, {"pods": [ended(128, text, "StartError")], "job": condition("Failed")}]
    cluster.play(frames=frames)
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 128
    assert "executable file not found" in result.output
    assert "tutor images build backup" in result.output


def test_a_pod_that_is_gone_is_no_success(site: Any, cluster: Any) -> None:
    cluster.play(frames=[RUNNING, {"pods": [], "job": condition("Complete")}])
    assert site.tutor("k8s", "backup").exit_code == 1


def test_kubectls_errors_are_shown(site: Any, cluster: Any) -> None:
    text = 'Error from server (Forbidden): jobs.batch is forbidden: User "me" cannot create'
    cluster.play(**run_that_ends(faults={"create": [text, 99]}))
    result = site.tutor("k8s", "backup")
    assert isinstance(result.exception, TutorError)
    assert text in str(result.exception)


@pytest.mark.parametrize("status", [0, 3, 5])
@pytest.mark.parametrize(
    "text",
    [
        'Error from server (Forbidden): pods "x" is forbidden: cannot get pods/log',
        'Error from server: Get "https://10.0.0.1:10250/x": remote error: tls: internal error',
    ],
)
def test_how_a_run_ended_is_told_without_its_log(
    site: Any, cluster: Any, status: int, text: str
) -> None:
    cluster.play(**run_that_ends(status, faults={"logs": [text, 99]}))
    result = site.tutor("k8s", "backup")
    assert result.exit_code == status
    assert result.output.count(text) == 1
    assert "could not be read, and is not shown" in result.output
    assert "job/backup-restore-job" not in cluster.objects()


def test_lines_of_the_same_time_are_all_shown(site: Any, cluster: Any) -> None:
    lines = ["twice", "twice", "", "last"]
    cluster.play(**{**run_that_ends(), "logs": {POD: lines}, "at_once": True})
    output = site.tutor("k8s", "backup").output
    assert "twice\ntwice\n\nlast\n" in output
    assert output.count("last") == 1
    assert len(cluster.words("logs")) > 1


def test_a_refusal_in_the_middle_does_not_end_the_run(site: Any, cluster: Any) -> None:
    """As an API server gives that has just begun."""
    text = "Error from server (Forbidden): jobs.batch is forbidden: RBAC: informers not synced"
    frames = [RUNNING, RUNNING, *run_that_ends()["frames"]]
    cluster.play(**{**run_that_ends(), "frames": frames, "refused_at_look": [2, text]})
    assert site.tutor("k8s", "backup").exit_code == 0


def test_a_job_that_comes_from_a_file_is_left_alone(site: Any, cluster: Any) -> None:
    site.set(BACKUP_K8S_TTL_SECONDS_AFTER_FINISHED=60)
    site.render()
    text = site.path("plugins", "backup", "k8s", "backup-restore-job.yml").read_text()
    (job,) = read_objects(text).values()
    assert "ttlSecondsAfterFinished" not in job["spec"]
    job["metadata"].update(uid="file", creationTimestamp="2026-01-01T00:00:00Z")
    cluster.put("job/backup-restore-job", job)
    assert "would restore again" in str(site.tutor("k8s", "backup").exception)
    assert cluster.objects() == {"job/backup-restore-job": job}


def test_services_stay_stopped_while_a_job_runs_that_nobody_follows(
    site: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(k8s_job, "LOST_SECONDS", 0.3)
    text = "Unable to connect to the server: dial tcp: connection refused"
    lms = {"metadata": {"name": "lms"}, "spec": {"replicas": 3}}
    cluster.play(**run_that_ends(faults={"get pods": [text, 999]}), deployments=[lms])
    result = site.tutor("k8s", "restore", "--yes", "--stop-services")
    assert "The job runs on there" in str(result.exception)
    assert [words[1:] for words in cluster.words("scale")] == [["deployment/lms", "--replicas=0"]]
    assert "kubectl scale --namespace=openedx deployment/lms --replicas=3" in result.output


def test_without_its_terminal_a_restore_is_finished_and_services_start(
    installed: Any, cluster_by_program: Any
) -> None:
    cluster = cluster_by_program
    lms = {"metadata": {"name": "lms"}, "spec": {"replicas": 2}}
    frames = [RUNNING] * 40 + run_that_ends()["frames"]
    cluster.play(**{**run_that_ends(), "frames": frames, "deployments": [lms]})
    ours, theirs = pty.openpty()
    process = installed.start(
        *("k8s", "restore", "--yes", "--stop-services"),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while b"second line" not in shown:
        shown += os.read(ours, 4096)
    os.close(ours)
    os.killpg(process.pid, signal.SIGHUP)
    assert process.wait(timeout=60) == 0
    assert [words[1:] for words in cluster.words("scale")] == [
        ["deployment/lms", "--replicas=0"],
        ["deployment/lms", "--replicas=2"],
    ]
    assert "job/backup-restore-job" not in cluster.objects()


def test_a_login_gets_the_terminal_where_the_cluster_wants_one(
    site: Any, cluster_by_program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_by_program
    monkeypatch.setattr("sys.stdin", Terminal())
    for user, expected in (({"exec": {"command": "kubelogin"}}, 1), ({"token": "t"}, 0)):
        cluster.play(**run_that_ends(), user=user)
        Kubectl("openedx").log_in()
        calls = [call["arguments"] for call in cluster.calls()]
        assert calls.count(["get", "--raw=/version"]) == expected
        (cluster.folder / "calls").unlink()


def test_a_job_of_somebody_else_is_left_alone(site: Any, cluster: Any) -> None:
    """Ours ended long ago, and was replaced."""
    frames = [RUNNING, {"pods": [], "job": {}, "metadata": {"uid": "theirs"}}]
    cluster.play(**{**run_that_ends(), "frames": frames})
    assert site.tutor("k8s", "backup").exit_code == 1
    assert "job/backup-restore-job" in cluster.objects()


@pytest.mark.parametrize("call", ["get pods", "logs"])
@pytest.mark.parametrize(
    "text",
    [
        "Unable to connect to the server: dial tcp: connection refused",
        'Error from server: Get "https://10.0.0.1:10250/containerLogs/x": dial tcp: i/o timeout',
        "Error from server (BadRequest): container is waiting to start: ContainerCreating",
    ],
)
def test_what_passes_does_not_end_the_run(site: Any, cluster: Any, call: str, text: str) -> None:
    cluster.play(**run_that_ends(faults={call: [text, 3]}))
    assert site.tutor("k8s", "backup").exit_code == 0


def test_a_long_run_is_not_lost_by_one_error(
    site: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time without an answer counts from the first error on, not from the run's begin."""
    monkeypatch.setattr(k8s_job, "LOST_SECONDS", 0.0)
    text = "Unable to connect to the server: dial tcp: connection refused"
    cluster.play(**run_that_ends(faults={"logs": [text, 1]}))
    assert site.tutor("k8s", "backup").exit_code == 0


def test_a_job_that_somebody_deletes_is_followed_to_its_end(site: Any, cluster: Any) -> None:
    deleted = {"deletionTimestamp": "2026-11-26T10:00:00Z"}
    interrupted = ended(130, summary(exit_status=130))
    frames = [
        RUNNING,
        {**RUNNING, "metadata": deleted},
        {"pods": [interrupted], "metadata": deleted, "job": {}},
        {"pods": [interrupted], "gone": True},
    ]
    cluster.play(frames=frames, logs={POD: ["running"]})
    assert site.tutor("k8s", "backup").exit_code == 130


def test_a_cluster_that_stays_away_keeps_its_job(
    site: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(k8s_job, "LOST_SECONDS", 0.3)
    text = "Unable to connect to the server: dial tcp: connection refused"
    cluster.play(**run_that_ends(faults={"get pods": [text, 999]}))
    result = site.tutor("k8s", "backup")
    assert "The job runs on there" in str(result.exception)
    assert "job/backup-restore-job" in cluster.objects()


def test_kubectls_errors_reach_us_from_its_process_too(site: Any, cluster_by_program: Any) -> None:
    text = "Error from server (Forbidden): no"
    cluster_by_program.play(**run_that_ends(faults={"patch": [text, 1]}))
    assert text in str(site.tutor("k8s", "backup").exception)


def test_without_kubectl_it_is_said(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "there is no kubectl in PATH" in str(site.tutor("k8s", "backup").exception)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_engine_cleanly(
    installed: Any, cluster_by_program: Any, number: int
) -> None:
    cluster = cluster_by_program
    frames = [RUNNING] * 4
    cluster.play(frames=frames, logs={POD: ["running"]}, endless=True)
    process = installed.start(
        "k8s", "backup", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    shown = []
    for line in process.stdout:
        shown.append(line)
        if line == "running\n":
            break
    assert shown and shown[-1] == "running\n", "".join(shown)
    # To the whole group, as a terminal does.
    os.killpg(process.pid, number)
    rest = process.communicate(timeout=120)[0]
    assert process.returncode == 130, rest
    assert "stopped cleanly" in rest
    assert "Traceback" not in rest
    assert cluster.words("delete")[0][1].startswith("--raw=")
    assert "job/backup-restore-job" not in cluster.objects()


def test_a_summary_of_a_run_that_was_killed_later_is_believed(site: Any, cluster: Any) -> None:
    """The status of the engine's own, not of what came after it."""
    cluster.play(**run_that_ends(137, summary(exit_status=3)))
    assert site.tutor("k8s", "backup").exit_code == 3


def test_a_job_that_another_command_has_just_made_is_named(site: Any, cluster: Any) -> None:
    made = Kubectl.create

    def create(self: Kubectl, one: dict[str, Any]) -> Any:
        if one["kind"] == "Job":
            raise KubectlError("create", 'Error from server (AlreadyExists): jobs "x" exists')
        return made(self, one)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kubectl, "create", create)
        result = site.tutor("k8s", "backup")
    assert "another command has made the Job backup-restore-job" in str(result.exception)


def test_ctrl_c_while_the_job_is_being_made_leaves_none(site: Any, cluster: Any) -> None:
    made = Kubectl.create

    def create(self: Kubectl, one: dict[str, Any]) -> Any:
        found = made(self, one)
        if one["kind"] == "Job":
            raise KeyboardInterrupt
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kubectl, "create", create)
        result = site.tutor("k8s", "backup")
    assert result.exit_code == 130
    assert len(cluster.created("Job")) == 1
    assert "job/backup-restore-job" not in cluster.objects()
