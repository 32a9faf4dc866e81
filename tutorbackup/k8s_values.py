"""What a setting that goes into Kubernetes' objects may be; checks as in values.py.

What an API server would refuse is refused here, where the setting has its name. Fields of free form
(affinity, tolerations …) are its own business.
"""

from __future__ import annotations

import re
from typing import Any

from . import values

try:
    from zoneinfo import available_timezones
except ImportError:  # before Python 3.9

    def available_timezones() -> set[str]:
        return set()


SECRET_KEYS = (
    "mysql-root-password",
    "mongodb-password",
    "s3-access-key",
    "s3-secret-access-key",
    "s3-session-token",
    "s3-sse-customer-key",
    "metrics-pushgateway-url",
    "ping-url",
    "webhook-url",
    "aws-credentials",
    "aws-config",
    "config.yml",
)
OWN_LABEL = "app.kubernetes.io/name"
_NAME = re.compile("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_WORD = "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_WORD}")
_LABEL = re.compile(f"({_WORD})?")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_FOLDER = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def object_name_or_none(value: Any) -> str:
    line = values.text(value).strip()
    if line and not _NAME.fullmatch(line):
        raise ValueError("is no name of an object: small letters, digits, '-' and '.'")
    return line


def object_names(value: Any) -> list[str]:
    return [object_name_or_none(name) for name in values.names(value)]


def secret_keys(value: Any) -> list[str]:
    found = values.names(value)
    for key in found:
        if key not in SECRET_KEYS:
            raise ValueError(f"holds {key!r}, which is none of {', '.join(SECRET_KEYS)}")
    return found


def mapping(value: Any) -> dict[str, Any]:
    if value is None or value == "":
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError("is no mapping like {name: value}")
    return dict(value)


def mappings(value: Any) -> list[dict[str, Any]]:
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise ValueError("is no list of mappings")
    return [mapping(item) for item in value]


def annotation_texts(value: Any) -> dict[str, str]:
    found = {}
    for key, content in mapping(value).items():
        if not _KEY.fullmatch(key):
            raise ValueError(f"holds {key!r}, which is no name like example.org/name")
        found[key] = _as_text(key, content)
    return found


def label_texts(value: Any) -> dict[str, str]:
    found = annotation_texts(value)
    for key, content in found.items():
        if not _LABEL.fullmatch(content):
            raise ValueError(
                f"{key}: {content!r} is no label: up to 63 letters, digits, '-', '_' and '.'"
            )
    return found


def more_labels(value: Any) -> dict[str, str]:
    found = label_texts(value)
    if OWN_LABEL in found:
        raise ValueError(f"holds {OWN_LABEL}, by which our objects are found")
    return found


def _as_text(key: str, content: Any) -> str:
    # YAML takes true and 1 without quotes for something else than text; an API server wants text.
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, (str, int, float)):
        if _CONTROL.search(str(content)):
            # kustomize writes them as they are, and then cannot read them.
            raise ValueError(f"{key} has control characters")
        return str(content)
    raise ValueError(f"{key} is no text")


def claims(value: Any) -> dict[str, str]:
    found = {}
    for folder, claim in mapping(value).items():
        if not _FOLDER.fullmatch(folder):
            raise ValueError(f"holds {folder!r}, which is no name of a folder")
        found[folder] = object_name_or_none(claim)
        if not found[folder]:
            raise ValueError(f"{folder} names no claim")
    return found


def time_zone_or_none(value: Any) -> str:
    line = values.text(value).strip()
    if line and (not re.fullmatch("[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", line) or line == "Local"):
        raise ValueError("is no time zone like Europe/Zurich")
    known = available_timezones()  # none where the zones' files are not installed
    if line and known and line not in known:
        raise ValueError("is no time zone that this machine knows")
    return line
