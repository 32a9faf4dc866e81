"""What a setting's value may be. A check returns the value in its plain form or raises ValueError.

The rules are the engine's: what passes here is not refused by it.
"""

from __future__ import annotations

import base64
import re
from typing import Any, Callable

from . import cron

Check = Callable[[Any], Any]
TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")
LEAST_MEMORY = 64 << 20
MOST_PORT = 65535
MOST_THREADS = 1024
MOST_READERS = 512
MOST_ZSTD_LEVEL = 19
MOST_TAGS = 10
BYTES_OF_A_KEY = 32
OWN_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "LANG",
    "NO_COLOR",
    "OPENEDX_BACKUP_FRONT_END",
    "TZ",
)
# The engine's own, secrets among them.
OWN_PREFIXES = ("BACKUP_", "METRICS_", "MONGO", "MYSQL_", "OPENEDX_", "PING_", "S3_", "WEBHOOK_")
UNITS = {"": 1, "b": 1}
for _power, _prefix in enumerate("kmgt", start=1):
    UNITS[_prefix] = UNITS[_prefix + "ib"] = 1024**_power
    UNITS[_prefix + "b"] = 1000**_power


def text(value: Any) -> str:
    """A line of text; null counts as empty, as an empty default does."""
    if value is None:
        return ""
    if isinstance(value, (bool, list, dict)):
        raise ValueError("is no text")
    line = str(value)
    if "\n" in line or "\0" in line:
        raise ValueError("has more than one line")
    return line


def filled_text(value: Any) -> str:
    line = text(value).strip()
    if not line:
        raise ValueError("is empty")
    return line


def bucket(value: Any) -> str:
    """A bucket's name, with a folder in it or without. Many sites have none, so it may be empty."""
    line = text(value).strip()
    if ":" in line or line.startswith("/"):
        raise ValueError("is no BUCKET or BUCKET/FOLDER")
    return line


def boolean(value: Any) -> bool:
    word = str(value).strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ValueError("is neither true nor false")


def image(value: Any) -> str:
    line = filled_text(value)
    if re.search(r"\s", line):
        raise ValueError("is no name of an image: it has a blank in it")
    return line


def count(least: int, most: int | None = None) -> Check:
    def check(value: Any) -> int:
        word = str(value).strip()
        if isinstance(value, bool) or not re.fullmatch("[0-9]{1,9}", word) or int(word) < least:
            raise ValueError(f"is no whole number from {least} on")
        if most is not None and int(word) > most:
            raise ValueError(f"is more than {most}")
        return int(word)

    return check


def count_or_none(value: Any) -> int | None:
    """From 1 on; empty: none."""
    if value is None or str(value).strip() in ("", "None"):
        return None
    number: int = count(1)(value)
    return number


def port_or_none(value: Any) -> int | None:
    number = count_or_none(value)
    if number is not None and number > MOST_PORT:
        raise ValueError("is no port")
    return number


def choice(*words: str) -> Check:
    def check(value: Any) -> str:
        if str(value) not in words:
            raise ValueError(f"is none of {', '.join(word or '(empty)' for word in words)}")
        return str(value)

    return check


def names(value: Any) -> list[str]:
    """A list of names, or a text in which blanks or commas separate them."""
    if value is None:
        return []
    if isinstance(value, str):
        return [name for name in re.split(r"[\s,]+", value) if name]
    if not isinstance(value, list):
        raise ValueError("is no list of names")
    for name in value:
        if not isinstance(name, (str, int)) or isinstance(name, bool) or not str(name):
            raise ValueError(f"holds {name!r}, which is no name")
        if "," in str(name):
            # The engine separates names by commas, wherever they come from.
            raise ValueError(f"holds {name!r}: a name with a comma cannot be chosen")
    return [str(name) for name in value]


def tags(value: Any) -> list[str]:
    """NAME=VALUE, as many as S3 allows."""
    found = names(value)
    for tag in found:
        if not re.match("[^=]+=", tag):
            raise ValueError(f"holds {tag!r}, which is not NAME=VALUE")
    if len(found) > MOST_TAGS:
        raise ValueError(f"has more than {MOST_TAGS} tags")
    return found


def metrics_labels(value: Any) -> list[str]:
    """NAME=VALUE, as Prometheus has names."""
    found = names(value)
    for label in found:
        if not re.match("[A-Za-z_][A-Za-z0-9_]*=", label):
            raise ValueError(f"holds {label!r}, which is not NAME=VALUE")
    return found


def url_or_none(value: Any) -> str:
    line = text(value).strip()
    if line and not re.fullmatch(r"https?://[^/\s]+\S*", line):
        raise ValueError("is no URL like https://example.org/path")
    return line


def span_or_none(value: Any) -> str:
    """A time span of the calendar: 12h, 30d, 8w, 6m, 1y, 1y6m; empty: none."""
    line = text(value).strip()
    if line and not re.fullmatch("([0-9]{1,4}[hdwmy])+", line):
        raise ValueError("is no time span like 30d")
    if line and not re.search("[1-9]", line):
        raise ValueError("is no time at all")
    return line


def age_or_none(value: Any) -> str:
    """A time span without months: 90m is more likely meant as minutes, and would be years."""
    line = span_or_none(value)
    if "m" in line:
        raise ValueError("has months (m); give it in h, d, w or y, as in 2d")
    return line


def environment(value: Any) -> dict[str, str]:
    """Variables for a container, beside those of the plugin's own."""
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise ValueError("is no mapping like {NAME: value}")
    found = {}
    for name, content in value.items():
        if not isinstance(name, str) or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"holds {name!r}, which is no name of a variable")
        if name in OWN_VARIABLES or name.startswith(OWN_PREFIXES):
            raise ValueError(f"holds {name}, which the plugin's other settings are for")
        try:
            found[name] = text(content)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from error
    return found


def key_of_32_bytes_or_none(value: Any) -> str:
    line = text(value).strip()
    if not line:
        return ""
    try:
        key = base64.b64decode(line, validate=True)
    except ValueError:
        key = b""
    if len(key) != BYTES_OF_A_KEY:
        raise ValueError("is no Base64 of 32 bytes")
    return line


def compression(value: Any) -> str:
    found = re.fullmatch(r"(xz)(?::([0-9]))?|(zstd)(?::([0-9]{1,2}))?|none", str(value))
    if not found or (found.group(4) and not 1 <= int(found.group(4)) <= MOST_ZSTD_LEVEL):
        raise ValueError("is none of xz, xz:0 to xz:9, zstd, zstd:1 to zstd:19, none")
    return str(value)


def memory(value: Any) -> str:
    found = re.fullmatch(r"([0-9]{1,12}) ?([A-Za-z]*)", str(value).strip())
    if not found or found.group(2).lower() not in UNITS:
        raise ValueError("is no size like 256MiB")
    if bytes_of(str(value)) < LEAST_MEMORY:
        raise ValueError("is less than 64MiB")
    return str(value).strip()


def bytes_of(size: str) -> int:
    """Of a size that `memory` has let through."""
    number, unit = re.fullmatch(r"([0-9]+) ?([A-Za-z]*)", size.strip()).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit.lower()]


def quantity(value: Any) -> str:
    """A Kubernetes quantity: 10Gi, 500M."""
    if not re.fullmatch(r"[1-9][0-9]*(\.[0-9]+)?([KMGTPE]i|[kMGTPE])?", str(value)):
        raise ValueError("is no size like 10Gi")
    return str(value)


def quantity_in_bytes(value: Any) -> int | None:
    """None for what this does not understand: it is an API server's business then."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([KMGTPE]i|[kMGTPE]|)", str(value).strip())
    if not found:
        return None
    unit = found.group(2)
    powers = " kmgtpe"
    base = 1024 if unit.endswith("i") else 1000
    return int(float(found.group(1)) * base ** (powers.index(unit[0].lower()) if unit else 0))


def cron_line(value: Any) -> str:
    line = text(value).strip()
    cron.parse(line)
    return line


def cron_line_or_none(value: Any) -> str:
    return cron_line(value) if text(value).strip() else ""
