"""What a setting is. The tables of them are in settings_*.py, joined by settings.py."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import values

PREFIX = "BACKUP_"


class Setting(NamedTuple):
    key: str  # without PREFIX
    default: Any
    check: values.Check
    meaning: str
    # "local" is what every run needs. The others are checked only when the environment is
    # rendered, and by runs that use them: a slip in a cluster's schedule must not keep anybody
    # from a restore at night.
    group: str = "local"

    @property
    def name(self) -> str:
        return PREFIX + self.key
