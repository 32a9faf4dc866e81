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


def test_caddy_that_is_off_is_still_in_an_archive(site: Any, tmp_path: Any) -> None:
    assert not site.config()["ENABLE_HTTPS"]
    target = str(tmp_path / "new")
    for command in (("extract", "--to", target), ("verify",), ("verify", "--quick")):
        result = site.tutor("local", "backups", *command)
        assert result.exit_code == 0, result.output
        assert "Caddy" not in result.output
    result = site.tutor("local", "backups", "extract", "--only=caddy", "--to", target)
    assert result.exit_code == 0, result.output
    assert "--only=caddy" in site.calls()[-1].command
    live = site.tutor("local", "backups", "verify", "--against-live")
    assert "Caddy is left out" in live.output


def test_looking_at_archives_needs_no_authority_of_a_server(site: Any, tmp_path: Any) -> None:
    site.set(BACKUP_MYSQL_CA_FILE="/nowhere/ca.pem", BACKUP_MONGODB_CA_FILE="/nowhere/ca.pem")
    extract = ("extract", "--to", str(tmp_path / "new"))
    prune = ("prune", "--keep-last=1", "--yes")
    for command in (("list",), ("inspect",), ("verify",), extract, prune):
        result = site.tutor("local", "backups", *command)
        assert result.exit_code == 0, (command, result.exception)
    for of_site in (("backup",), ("restore", "--yes"), ("backups", "verify", "--against-live")):
        told = str(site.tutor("local", *of_site).exception)
        assert "BACKUP_MYSQL_CA_FILE: cannot read /nowhere/ca.pem" in told
