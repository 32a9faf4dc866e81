"""`tutor k8s backup`, `restore` and `backups`: what the engine is told, in what order things happen
in the cluster, and what comes back to the terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from k8s_testing import POD, RUNNING, condition, ended, run_that_ends, summary
from tutor.exceptions import TutorError

from tutorbackup import k8s_cli

WAIT = ["--wait", "mysql:3306", "--wait", "mongodb:27017"]


@pytest.fixture()
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(k8s_cli, "_check_terminal", lambda: None)


@pytest.fixture()
def without_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise OSError

    monkeypatch.setattr(k8s_cli.os, "open", refuse)


def test_a_backup_is_a_job_that_is_followed_and_taken_away(
    site: Any, cluster_by_program: Any
) -> None:
    cluster = cluster_by_program
    result = site.tutor("k8s", "backup", "--only=mysql", "--name=before", "--compression=zstd:3")
    assert result.exit_code == 0, result.output
    assert cluster.engine() == [
        [*WAIT, "backup", "--only=mysql", "--name=before", "--compression=zstd:3"]
    ]
    assert result.output.index("first line") < result.output.index("second line")
    assert result.output.count("second line") == 1
    assert "Archives are in s3://backups" in result.output
    assert cluster.objects().keys() == {"serviceaccount/backup"}
    for call in cluster.calls():
        assert call["arguments"][0] == "--namespace=openedx"


def test_a_job_starts_when_its_settings_and_secrets_are_there(site: Any, cluster: Any) -> None:
    site.set(MYSQL_ROOT_PASSWORD="pa'ss$(X)")
    site.tutor("k8s", "backup")
    (job,) = cluster.created("Job")
    assert job["spec"]["suspend"] is True
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["ttlSecondsAfterFinished"] == 86400
    (settings,), (secret,) = cluster.created("ConfigMap"), cluster.created("Secret")
    name = settings["metadata"]["name"]
    assert name.startswith("backup-restore-job-") and secret["metadata"]["name"] == name
    for one in (settings, secret):
        (owner,) = one["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("Job", "backup-restore-job")
    volumes = {volume["name"]: volume for volume in job["spec"]["template"]["spec"]["volumes"]}
    assert volumes["settings"]["configMap"]["name"] == name
    assert volumes["secrets"]["secret"]["secretName"] == name
    verbs = [call["arguments"][1] for call in cluster.calls()]
    assert verbs.index("patch") > max(at for at, verb in enumerate(verbs) if verb == "create")
    assert cluster.words("patch")[0][1:] == [
        "job/backup-restore-job",
        "--type=merge",
        '--patch={"spec": {"suspend": false}}',
    ]


def test_no_secret_is_an_argument_or_in_the_environment(site: Any, cluster: Any) -> None:
    site.set(
        MYSQL_ROOT_PASSWORD="mysqlsecret",
        BACKUP_S3_ACCESS_KEY="key",
        BACKUP_S3_SECRET_ACCESS_KEY="s3secret",
        BACKUP_PING_URL="https://hc-ping.com/pingsecret",
    )
    result = site.tutor("k8s", "backup")
    for call in cluster.calls():
        told = "\n".join([*call["arguments"], *call["environ"].values(), result.output])
        if '"kind": "Secret"' not in call["input"]:
            told += call["input"]
        for secret in ("mysqlsecret", "s3secret", "pingsecret", "bXlzcWxzZWNyZXQ"):
            assert secret not in told


def test_an_existing_secret_and_account_are_used_and_none_is_made(site: Any, cluster: Any) -> None:
    site.set(BACKUP_K8S_SECRET_NAME="vault", BACKUP_K8S_SERVICE_ACCOUNT_NAME="iam")
    assert site.tutor("k8s", "backup").exit_code == 0
    assert cluster.created("Secret") == cluster.created("ServiceAccount") == []
    (job,) = cluster.created("Job")
    spec = job["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "iam"
    assert {"secretName": "vault", "defaultMode": 0o440} in [
        v.get("secret") for v in spec["volumes"]
    ]
    assert not any("secret/" in word for words in cluster.words("delete") for word in words)


@pytest.mark.parametrize("status", [1, 2, 3, 4, 5, 130])
def test_the_engines_status_is_the_commands(site: Any, cluster: Any, status: int) -> None:
    cluster.play(**run_that_ends(status))
    result = site.tutor("k8s", "backup")
    assert result.exit_code == status
    assert "Traceback" not in result.output
    assert "job/backup-restore-job" not in cluster.objects()


def test_without_a_summary_the_processs_status_counts(site: Any, cluster: Any) -> None:
    cluster.play(**run_that_ends(4, "error: no such archive\nNothing was written."))
    assert site.tutor("k8s", "backup").exit_code == 4


def test_a_restore_asks_here_and_then_restores_what_it_has_shown(
    site: Any, cluster: Any, at_a_terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    seen = summary(command="restore", version="v/+1", dry_run=True)
    cluster.play(**run_that_ends(0, seen))
    result = site.tutor("k8s", "restore", "--date=2026-11-22", "--exclude=media", "--keep-old")
    assert result.exit_code == 0, result.output
    parts = ["--exclude=media", "--exclude=config"]
    assert cluster.engine() == [
        [*WAIT, "restore", "--date=2026-11-22", *parts, "--dry-run", "--keep-old"],
        [
            *WAIT,
            "restore",
            "--name=backup.2026-11-26.tar.xz",
            "--version=v/+1",
            *parts,
            "--yes",
            "--keep-old",
        ],
    ]
    assert "kubectl rollout restart --namespace=openedx deployment/lms" in result.output


def test_a_no_changes_nothing(
    site: Any, cluster: Any, at_a_terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    for command in (("restore",), ("restore", "--undo"), ("backups", "prune", "--keep-last=1")):
        result = site.tutor("k8s", *command)
        assert result.exit_code == 130, result.output
        assert "Nothing was changed." in result.output
    assert [words[-1] for words in cluster.engine()] == ["--dry-run", "--dry-run"]


def test_without_a_terminal_somebody_has_to_say_yes(
    site: Any, cluster: Any, without_terminal: None
) -> None:
    for command in (("restore",), ("restore", "--drop-old"), ("backups", "prune", "--keep-last=1")):
        result = site.tutor("k8s", *command)
        assert result.exit_code == 2
        assert "--yes" in result.output
    assert cluster.engine() == []


def test_a_look_that_fails_ends_the_restore(site: Any, cluster: Any, at_a_terminal: None) -> None:
    cluster.play(**run_that_ends(4))
    assert site.tutor("k8s", "restore").exit_code == 4
    assert len(cluster.engine()) == 1


def test_an_engine_that_does_not_say_what_it_saw_is_not_believed(
    site: Any, cluster: Any, at_a_terminal: None
) -> None:
    cluster.play(**run_that_ends(0, ""))
    result = site.tutor("k8s", "restore")
    assert isinstance(result.exception, TutorError)
    assert "tutor images build backup" in str(result.exception)


def test_a_restore_by_version_for_a_script(site: Any, cluster: Any) -> None:
    result = site.tutor("k8s", "restore", "--version=abc", "--yes", "--in-place")
    assert result.exit_code == 0, result.output
    assert cluster.engine() == [
        [*WAIT, "restore", "--version=abc", "--exclude=config", "--yes", "--in-place"]
    ]


def test_what_tutor_local_needs_to_be_told_is_taken(site: Any, cluster: Any) -> None:
    assert site.tutor("k8s", "backup", "--upload").exit_code == 0
    assert site.tutor("k8s", "restore", "--download", "--yes").exit_code == 0
    assert cluster.engine() == [
        [*WAIT, "backup"],
        [*WAIT, "restore", "--exclude=config", "--yes"],
    ]


def test_a_standby_by_hand(site: Any, cluster: Any) -> None:
    site.tutor("k8s", "restore", "--yes", "--skip-applied", "--max-age=12h")
    (told,) = cluster.engine()
    assert told[-4:] == ["--exclude=config", "--yes", "--skip-applied=true", "--max-age=12h"]


def test_undo_and_drop_old(site: Any, cluster: Any) -> None:
    site.tutor("k8s", "restore", "--undo", "--only=mysql", "--yes")
    site.tutor("k8s", "restore", "--drop-old", "--yes")
    assert cluster.engine() == [
        [*WAIT, "restore", "--undo", "--yes", "--only=mysql"],
        [*WAIT, "restore", "--drop-old", "--yes"],
    ]


def test_looking_at_archives_needs_neither_servers_nor_volumes(site: Any, cluster: Any) -> None:
    site.set(ENABLE_HTTPS=True, BACKUP_K8S_MEDIA_CLAIMS={"openedx-media": "media"})
    for command in (
        ("restore", "--list-versions"),
        ("backups", "list"),
        ("backups", "list", "--list-versions=5"),
        ("backups", "inspect", "--tables", "--name=x"),
        ("backups", "verify", "--quick", "--date=2026-11-22"),
        ("backups", "prune", "--keep-daily=7", "--damaged", "--yes"),
        ("backups", "prune", "--keep-last=1", "--dry-run"),
    ):
        result = site.tutor("k8s", *command)
        assert result.exit_code == 0, result.output
    assert cluster.engine() == [
        ["list", "--list-versions=20"],
        ["list"],
        ["list", "--list-versions=5"],
        ["inspect", "--name=x", "--tables"],
        ["verify", "--date=2026-11-22", "--quick"],
        ["prune", "--keep-daily=7", "--damaged", "--yes"],
        ["prune", "--keep-last=1", "--dry-run"],
    ]
    for job in cluster.created("Job"):
        spec = job["spec"]["template"]["spec"]
        assert "affinity" not in spec
        assert {volume["name"] for volume in spec["volumes"]} == {"settings", "secrets", "tmp"}
        assert spec["securityContext"]["runAsNonRoot"] is True


def test_comparing_with_the_live_site_reads_it(site: Any, cluster: Any) -> None:
    site.set(ENABLE_HTTPS=True)
    site.tutor("k8s", "backups", "verify", "--against-live")
    (job,) = cluster.created("Job")
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert "--exclude=config" in container["args"]
    (mount,) = [
        mount
        for mount in job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
        if mount["name"] == "caddy"
    ]
    assert mount == {"name": "caddy", "mountPath": "/caddy", "readOnly": True}


@pytest.mark.parametrize(
    "arguments",
    [
        ("restore", "--date=2026-11-22", "--name=x"),
        ("restore", "--undo", "--dry-run"),
        ("restore", "--undo", "--date=2026-11-22"),
        ("restore", "--drop-old", "--only=mysql"),
        ("restore", "--in-place", "--keep-old"),
        ("restore", "--restart", "--stop-services"),
        ("restore", "--list-versions", "--name=x"),
        ("restore", "--only=config"),
        ("backups", "inspect", "--date=2026-11-22", "--name=x"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    site: Any, cluster: Any, arguments: Any
) -> None:
    result = site.tutor("k8s", *arguments)
    assert result.exit_code == 2, result.output
    assert cluster.calls() == []


def test_a_bucket_without_a_name_is_refused_where_it_matters(site: Any, cluster: Any) -> None:
    site.set(BACKUP_S3_BUCKET_NAME="")
    assert site.tutor("config", "save").exit_code == 0
    result = site.tutor("k8s", "backup")
    assert "BACKUP_S3_BUCKET_NAME is empty" in str(result.exception)
    assert cluster.calls() == []


def deployment(name: str, replicas: int) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"replicas": replicas}}


@pytest.mark.parametrize("status", [0, 1])
def test_services_are_started_again_with_as_many_pods_also_after_a_failure(
    site: Any, cluster: Any, status: int
) -> None:
    deployments = [deployment("lms", 3), deployment("cms-worker", 1), deployment("lms-worker", 0)]
    cluster.play(**run_that_ends(status), deployments=deployments)
    result = site.tutor("k8s", "restore", "--yes", "--stop-services")
    assert result.exit_code == status
    assert [words[1:] for words in cluster.words("scale")] == [
        ["deployment/lms", "--replicas=0"],
        ["deployment/cms-worker", "--replicas=0"],
        ["deployment/lms", "--replicas=3"],
        ["deployment/cms-worker", "--replicas=1"],
    ]
    verbs = [call["arguments"][1] for call in cluster.calls()]
    job = next(at for at, call in enumerate(cluster.calls()) if '"kind": "Job"' in call["input"])
    assert verbs.index("scale") < job < len(verbs) - 2


def test_restart_restarts_what_runs(site: Any, cluster: Any) -> None:
    cluster.play(**run_that_ends(), deployments=[deployment("lms", 1), deployment("cms", 0)])
    site.tutor("k8s", "restore", "--yes", "--restart")
    assert cluster.words("rollout") == [["rollout", "restart", "deployment/lms"]]
    cluster.play(**run_that_ends(), deployments=[])
    site.tutor("k8s", "restore", "--yes", "--restart", "--dry-run")
    assert len(cluster.words("rollout")) == 1


def test_a_finished_job_of_that_name_is_replaced(site: Any, cluster: Any) -> None:
    """Ours of a command that was killed, or the predecessor's."""
    cluster.put(
        "job/backup-restore-job",
        {
            "metadata": {
                "name": "backup-restore-job",
                "uid": "old",
                "creationTimestamp": "2026-11-01T00:00:00Z",
            },
            "spec": {},
        },
    )
    cluster.play(frames=[{"pods": [], "job": condition("Complete")}], logs={})
    # Its own pod is gone, so nobody knows how this one ended; but it ran.
    result = site.tutor("k8s", "backups", "list")
    assert "job/backup-restore-job" in cluster.words("delete")[0]
    assert len(cluster.created("Job")) == 1
    assert result.exit_code == 1


def test_a_job_that_runs_is_named_and_left_alone(site: Any, cluster: Any) -> None:
    old = {
        "metadata": {"name": "x", "uid": "old", "creationTimestamp": "2026-11-01T00:00:00Z"},
        "spec": {},
    }
    cluster.put("job/backup-restore-job", old)
    cluster.play(frames=[{**RUNNING}])
    result = site.tutor("k8s", "backup")
    assert isinstance(result.exception, TutorError)
    text = str(result.exception)
    assert "backup-restore-job in namespace openedx is running, since 2026-11-01" in text
    assert cluster.words("delete") == [] and cluster.created("Job") == []


def test_a_pod_that_was_replaced_is_followed_on(site: Any, cluster: Any) -> None:
    evicted = {**ended(130), "reason": "Evicted", "message": "low on memory"}
    frames: list[dict[str, Any]] = [
        RUNNING,
        {"pods": [evicted], "job": {"active": 0}},
        {"pods": [evicted, RUNNING["pods"][0]], "job": {"active": 1}},
        {"pods": [evicted, ended(0, summary())], "job": condition("Complete")},
    ]
    cluster.play(frames=frames, logs={POD: ["first try"], "backup-restore-job-1": ["second try"]})
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 0, result.output
    assert result.output.count("first try") == result.output.count("second try") == 1


def test_a_log_that_broke_off_is_gone_on_with(site: Any, cluster: Any) -> None:
    more = {POD: [f"line {number}" for number in range(5)]}
    frames = [RUNNING] * 4 + [{"pods": [ended(0, summary())], "job": condition("Complete")}]
    cluster.play(frames=frames, logs=more, faults={"logs": ["error: unexpected EOF", 2]})
    result = site.tutor("k8s", "backup")
    assert result.exit_code == 0, result.output
    for number in range(5):
        assert result.output.count(f"line {number}") == 1


def test_json_of_others_is_no_summary(site: Any, cluster: Any) -> None:
    cluster.play(**run_that_ends(1, json.dumps({"type": "x"}) + "\n[1]\n" + summary(exit_status=5)))
    assert site.tutor("k8s", "backup").exit_code == 5
