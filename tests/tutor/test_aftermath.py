"""What follows a restore, by what the engine's summary says it has done."""

from __future__ import annotations

from typing import Any

import pytest
from k8s_testing import run_that_ends, summary

from tutorbackup import aftermath, compat

TIMER = ("local", "restore", "--yes", "--skip-applied")


def words(site: Any) -> list[str]:
    return [call.words[0] for call in site.calls()]


def test_a_skip_restarts_nothing_and_leaves_nothing_to_do(site: Any, answers: Any) -> None:
    answers(running="lms cms", skipped=True)
    result = site.tutor(*TIMER, "--restart")
    assert result.exit_code == 0, result.output
    assert words(site) == ["run"]
    told = site.tutor(*TIMER).output
    for hint in ("restart openedx", compat.init_command("local"), "search index"):
        assert hint not in told
    answers(running="lms cms", skipped=False)
    site.tutor(*TIMER, "--restart")
    assert words(site)[-2:] == ["run", "restart"]


def test_a_skip_stops_no_services(site: Any, answers: Any) -> None:
    answers(running="lms cms", skipped=True)
    assert site.tutor(*TIMER, "--stop-services").exit_code == 0
    assert words(site) == ["run"]
    assert "--dry-run" in site.only_call().command


@pytest.mark.parametrize(("status", "skipped"), [(0, False), (3, True)])
def test_what_is_to_be_restored_stops_the_services(
    site: Any, answers: Any, status: int, skipped: bool
) -> None:
    """Warnings before a skip may be of a swap that broke off, which only a restore finishes."""
    answers(status=status, running="lms", skipped=skipped)
    assert site.tutor(*TIMER, "--stop-services").exit_code == status
    assert words(site) == ["run", "stop", "run", "start"]
    look, restore = (call.command for call in site.calls() if call.words[0] == "run")
    assert "--dry-run" in look and "--dry-run" not in restore


def test_a_look_that_fails_stops_no_services(site: Any, answers: Any) -> None:
    answers(status=4, running="lms")
    assert site.tutor(*TIMER, "--stop-services").exit_code == 4
    assert words(site) == ["run"]


def test_an_undo_needs_no_init(site: Any) -> None:
    told = site.tutor("local", "restore", "--undo", "--yes").output
    assert "another release" not in told
    assert "restart openedx" in told


def test_a_swap_that_was_finished_counts_after_a_no(site: Any, answers: Any) -> None:
    answers(status=130, running="lms", finished_swaps=1)
    result = site.tutor("local", "restore")
    assert result.exit_code == 130
    assert "restart openedx" in result.output
    assert site.tutor("local", "restore", "--restart").exit_code == 130
    assert words(site)[-1] == "restart"
    answers(status=130, running="lms")
    assert "restart openedx" not in site.tutor("local", "restore").output


def test_the_summary_is_a_file_of_the_operators_that_does_not_stay(site: Any, answers: Any) -> None:
    answers(skipped=True)
    site.tutor(*TIMER)
    path = site.only_call().environ["OPENEDX_BACKUP_SUMMARY"]
    folder = site.path("plugins", "backup")
    assert path.startswith(str(folder / "job-"))
    assert [file.name for file in folder.glob("job-*/*")] == ["settings.toml"]


def test_what_is_no_summary_is_none() -> None:
    options = {"dry_run": False, "drop_old": False}
    assert aftermath.changed_live_data(options, 0, {})
    assert not aftermath.changed_live_data(options, 1, {})
    assert not aftermath.changed_live_data({**options, "dry_run": True}, 0, {})


def test_a_skip_in_a_cluster_stops_and_restarts_nothing(site: Any, cluster: Any) -> None:
    deployments = [{"metadata": {"name": "lms"}, "spec": {"replicas": 1}}]
    skip = run_that_ends(0, summary(command="restore", skipped=True))
    cluster.play(**skip, deployments=deployments)
    result = site.tutor("k8s", "restore", "--yes", "--skip-applied", "--stop-services")
    assert result.exit_code == 0, result.output
    assert not cluster.words("scale")
    result = site.tutor("k8s", "restore", "--yes", "--skip-applied", "--restart")
    assert result.exit_code == 0, result.output
    assert not cluster.words("rollout")
    assert "another release" not in result.output
