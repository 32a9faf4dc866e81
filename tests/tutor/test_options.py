"""Options of the commands: which are refused, and which of the predecessor's are taken."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("option", "command"),
    [
        ("--name", ("backup",)),
        ("--name", ("restore", "--yes")),
        ("--date", ("restore", "--yes")),
        ("--version", ("restore", "--yes")),
        ("--max-age", ("restore", "--yes")),
        ("--name", ("backups", "verify")),
        ("--keep-within", ("backups", "prune", "--yes")),
    ],
)
@pytest.mark.parametrize("value", ["", " "])
def test_an_option_that_is_empty_is_no_option_that_is_absent(
    site: Any, option: str, command: Any, value: str
) -> None:
    """As a script's variable that was never set: the newest archive would be taken."""
    for mode in ("local", "k8s"):
        result = site.tutor(mode, *command, option, value)
        assert result.exit_code == 2, result.output
        assert option in result.output
    assert site.calls() == []


def test_a_date_may_be_written_as_the_predecessor_took_it(site: Any) -> None:
    assert site.tutor("local", "restore", "--yes", "--date=2026-1-5").exit_code == 0
    assert "--date=2026-01-05" in site.only_call().command
