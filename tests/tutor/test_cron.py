"""Cron lines: what they mean, in systemd's words, and which are refused."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tutorbackup import cron

ALL_MINUTES = ",".join(f"{minute:02}" for minute in range(0, 60, 15))

CONVERSIONS = [
    ("0 0 * * *", ["*-*-* 00:00:00"]),
    ("30 2 * * *", ["*-*-* 02:30:00"]),
    ("* * * * *", ["*-*-* *:*:00"]),
    ("*/15 * * * *", [f"*-*-* *:{ALL_MINUTES}:00"]),
    ("5 0-6/2 * * *", ["*-*-* 00,02,04,06:05:00"]),
    ("0 22/1 * * *", ["*-*-* 22,23:00:00"]),
    ("0 4 * * sun", ["Sun *-*-* 04:00:00"]),
    ("0 4 * * 7", ["Sun *-*-* 04:00:00"]),
    ("0 4 * * 5-7", ["Sun,Fri,Sat *-*-* 04:00:00"]),
    ("0 4 * * MON-FRI", ["Mon,Tue,Wed,Thu,Fri *-*-* 04:00:00"]),
    ("0 4 1,15 * *", ["*-*-01,15 04:00:00"]),
    ("0 4 1 jan,jul *", ["*-01,07-01 04:00:00"]),
    ("0 4 */10 * *", ["*-*-01,11,21,31 04:00:00"]),
    # Both kinds of day: cron means either.
    ("0 4 1 * mon", ["*-*-01 04:00:00", "Mon *-*-* 04:00:00"]),
    # But both, when one begins with a star.
    ("0 4 */2 * 0", ["Sun *-*-" + ",".join(f"{d:02}" for d in range(1, 32, 2)) + " 04:00:00"]),
    ("0 0 29 2 *", ["*-02-29 00:00:00"]),
    ("@daily", ["*-*-* 00:00:00"]),
    ("@Hourly", ["*-*-* *:00:00"]),
    ("@weekly", ["Sun *-*-* 00:00:00"]),
    ("@monthly", ["*-*-01 00:00:00"]),
    ("@yearly", ["*-01-01 00:00:00"]),
    ("0 3 ? * *", ["*-*-* 03:00:00"]),
]


@pytest.mark.parametrize(("line", "expected"), CONVERSIONS)
def test_in_systemds_words(line: str, expected: list[str]) -> None:
    assert cron.on_calendar(line) == expected


def test_systemd_understands_all_of_them() -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze, "systemd-analyze is missing; the package systemd has it"
    entries = [entry for line, _ in CONVERSIONS for entry in cron.on_calendar(line)]
    done = subprocess.run([analyze, "calendar", *entries], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # One that is understood and can never come elapses "never".
    assert "never" not in done.stdout


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("", "0 field"),
        ("0 0 * *", "4 field"),
        ("0 0 * * * root", "6 field"),
        ("60 0 * * *", "minute '60'"),
        ("0 24 * * *", "hour '24'"),
        ("0 0 0 * *", "day of the month '0'"),
        ("0 0 * 13 *", "month '13'"),
        ("0 0 * * 8", "day of the week '8'"),
        ("0 0 * * fri-mon", "ends before"),
        ("*/0 * * * *", "no step"),
        ("*/x * * * *", "no step"),
        ("1,,2 * * * *", "minute ''"),
        ("-5 * * * *", "minute ''"),
        ("0 0 31 2 *", "no month has"),
        ("0 0 30 feb *", "no month has"),
        ("@reboot", "none of"),
        ("0 0 * * someday", "no number or name"),
        ("٣ 0 * * *", "no number"),
    ],
)
def test_impossible_lines_are_refused(line: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        cron.parse(line)


def test_in_numbers() -> None:
    assert cron.in_numbers("0 4 1 Jan,jul MON-fri") == "0 4 1 1,7 1-5"
    assert cron.in_numbers("@weekly") == "0 0 * * 0"


@pytest.mark.parametrize(
    ("line", "kubernetes"),
    [
        ("0 3 * * 7", "0 3 * * 0"),
        ("0 3 * * 5-7", "0 3 * * 0,5,6"),
        ("7 7 7 7 1", "7 7 7 7 1"),
        ("0 3 * * mon-fri", "0 3 * * mon-fri"),
        (" @daily ", "@daily"),
    ],
)
def test_kubernetes_knows_sunday_as_0_alone(line: str, kubernetes: str) -> None:
    assert cron.for_kubernetes(line) == kubernetes
    assert cron.parse(cron.for_kubernetes(line)) == cron.parse(line)
