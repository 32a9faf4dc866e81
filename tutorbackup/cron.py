"""Cron lines: checked as cron reads them, and said in systemd's words (OnCalendar)."""

from __future__ import annotations

from typing import NamedTuple

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Field(NamedTuple):
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 7, WEEKDAYS),
)


class CronLine(NamedTuple):
    """What each field allows, sorted; all that it can be when it is not restricted."""

    minutes: list[int]
    hours: list[int]
    days: list[int]
    months: list[int]
    weekdays: list[int]  # 0 is Sunday
    # Cron joins the two kinds of day by "or", but by "and" when one of them begins with a star.
    either_day: bool


def parse(line: str) -> CronLine:
    """Raises ValueError, whose text says what is wrong with the line."""
    parts = _split(line)
    minutes, hours, days, months, weekdays = (
        _values(part, field) for part, field in zip(parts, FIELDS)
    )
    weekdays = sorted({day % 7 for day in weekdays})
    either_day = not (parts[2].startswith("*") or parts[4].startswith("*"))
    if not either_day and not any(day <= LONGEST[month - 1] for day in days for month in months):
        raise ValueError(f"'{line}' names a day that no month has")
    return CronLine(minutes, hours, days, months, weekdays, either_day)


def _split(line: str) -> list[str]:
    text = line.strip().lower()
    if text.startswith("@"):
        if text not in MACROS:
            raise ValueError(f"{line.strip()} is none of {', '.join(MACROS)}")
        text = MACROS[text]
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ValueError(
            f"'{line}' has {len(parts)} field(s) instead of 5: minute, hour, day of the month, "
            "month, day of the week"
        )
    # Kubernetes takes "?" for "*".
    return ["*" if part == "?" else part for part in parts]


def in_numbers(line: str) -> str:
    """The same times in five fields of numbers: not every cron knows macros and lists of names."""
    parts = _split(line)
    for at, field in enumerate(FIELDS):
        for name in field.names:
            parts[at] = parts[at].replace(name, str(field.names.index(name) + field.least))
    return " ".join(parts)


def for_kubernetes(line: str) -> str:
    """The same times for a CronJob, which knows macros and names, but Sunday as 0 alone."""
    parts = line.split()
    if len(parts) != len(FIELDS) or "7" not in parts[4]:
        return line.strip()
    return " ".join([*parts[:4], ",".join(str(day) for day in parse(line).weekdays)])


def _values(text: str, field: Field) -> list[int]:
    values: set[int] = set()
    for part in text.split(","):
        reach, slash, step_text = part.partition("/")
        first, last = _reach(reach, field, bool(slash))
        step = 1
        if slash:
            step = _number(step_text, field) if step_text.isdigit() else 0
            if step < 1:
                raise ValueError(f"the {field.name} '{part}' has no step like */15")
        values.update(range(first, last + 1, step))
    return sorted(values)


def _reach(text: str, field: Field, stepped: bool) -> tuple[int, int]:
    if text == "*":
        # Sunday is 0 and 7; once is enough.
        return field.least, field.most - (1 if field.names is WEEKDAYS else 0)
    first_text, dash, last_text = text.partition("-")
    first = _number(first_text, field)
    last = _number(last_text, field) if dash else (field.most if stepped else first)
    if not (field.least <= first <= last <= field.most):
        raise ValueError(
            f"the {field.name} '{text}' is not within {field.least} to {field.most}, "
            "or ends before it begins"
        )
    return first, last


def _number(text: str, field: Field) -> int:
    if text in field.names:
        return field.names.index(text) + field.least
    # isdigit() alone takes other scripts' digits too.
    if text.isascii() and text.isdigit():
        return int(text)
    raise ValueError(f"the {field.name} '{text}' is no number" + (" or name" * bool(field.names)))


def on_calendar(line: str) -> list[str]:
    """The same times in systemd's words; two entries where cron joins the kinds of day by "or"."""
    cron = parse(line)
    clock = f"{_listed(cron.hours, 24)}:{_listed(cron.minutes, 60)}:00"
    months = _listed(cron.months, 12)
    on_weekdays = ",".join(WEEKDAYS[day].capitalize() for day in cron.weekdays)
    if cron.either_day:
        return [
            f"*-{months}-{_listed(cron.days, 31)} {clock}",
            f"{on_weekdays} *-{months}-* {clock}",
        ]
    weekdays = "" if len(cron.weekdays) == len(WEEKDAYS) else on_weekdays + " "
    return [f"{weekdays}*-{months}-{_listed(cron.days, 31)} {clock}"]


def _listed(values: list[int], all_of_them: int) -> str:
    return "*" if len(values) == all_of_them else ",".join(f"{value:02}" for value in values)
