"""The engine's settings file, made from Tutor's settings.

A TOML file of our own, so that no value ever passes YAML, Compose's `$` or a shell, and no secret
stands in the environment, an argument or `docker inspect`.
"""

from __future__ import annotations

import json
from typing import Any, Iterator

from tutor.exceptions import TutorError

from . import compat, settings, values

ARCHIVES = "/data/backup"
MEDIA = "/media"
TUTOR_CONFIG = "/tutor/config.yml"
CADDY = "/caddy"


def caddy_is_on(config: settings.Config) -> bool:
    """Tutor's own condition for Caddy to keep data (certificates)."""
    return bool(config.get("ENABLE_HTTPS")) and bool(config.get("ENABLE_WEB_PROXY"))


def why_no_caddy(config: settings.Config) -> str:
    """Empty when Caddy is on."""
    off = [name for name in ("ENABLE_HTTPS", "ENABLE_WEB_PROXY") if not config.get(name)]
    return " and ".join(off) + (" is" if len(off) == 1 else " are") + " off" if off else ""


def media_folders() -> list[str]:
    private = ["openedx-media-private"] if compat.has_private_media() else []
    return ["openedx-media", *private]


def render(config: settings.Config) -> str:
    """The file's text. Raises TutorError that names a setting with an impossible value."""
    lines = []
    for key, value in _entries(config):
        # What is empty is not set.
        if value not in ("", [], None):
            lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _entries(config: settings.Config) -> Iterator[tuple[str, Any]]:
    ours = settings.checked(config, ["local"])
    tutors = _tutors_settings(config)
    yield "location", ARCHIVES
    yield "compression", ours["COMPRESSION"]
    yield "memory", ours["MEMORY"]
    yield "threads", ours["THREADS"] or None
    yield "log-level", ours["LOG_LEVEL"]
    yield "mysql-host", tutors["MYSQL_HOST"]
    yield "mysql-port", tutors["MYSQL_PORT"]
    yield "mysql-user", tutors["MYSQL_ROOT_USERNAME"]
    yield "mysql-password", _secret(config, "MYSQL_ROOT_PASSWORD")
    yield "mysql-tls", ours["MYSQL_TLS"]
    yield "mysql-databases", ours["MYSQL_DATABASES"]
    yield "mysql-readers", ours["MYSQL_READERS"]
    yield "mysql-single-transaction", ours["MYSQL_SINGLE_TRANSACTION"]
    yield "mysql-flush-logs", ours["MYSQL_FLUSH_LOGS"]
    yield "mysql-binlog", ours["MYSQL_BINLOG"]
    yield "mongodb-host", tutors["MONGODB_HOST"]
    yield "mongodb-port", tutors["MONGODB_PORT"]
    yield "mongodb-user", tutors["MONGODB_USERNAME"]
    yield "mongodb-password", _secret(config, "MONGODB_PASSWORD")
    yield "mongodb-databases", ours["MONGODB_DATABASES"]
    yield "mongodb-readers", ours["MONGODB_READERS"]
    yield "mongodb-authentication-database", ours["MONGODB_AUTHENTICATION_DATABASE"]
    yield "mongodb-authentication-mechanism", tutors["MONGODB_AUTH_MECHANISM"]
    yield "mongodb-replica-set", tutors["MONGODB_REPLICA_SET"]
    yield "mongodb-tls", tutors["MONGODB_USE_SSL"]
    yield "mongorestore-options", ours["MONGORESTORE_ADDITIONAL_OPTIONS"]
    yield "caddy", CADDY if caddy_is_on(config) else None
    yield "media", [f"{name}={MEDIA}/{name}" for name in media_folders()]
    yield "tutor-config", TUTOR_CONFIG


# Tutor's own settings that the engine needs. Those of MongoDB's connection came with Tutor 14.2.2.
_TUTORS = {
    "MYSQL_HOST": values.text,
    "MYSQL_PORT": values.port_or_none,
    "MYSQL_ROOT_USERNAME": values.text,
    "MONGODB_HOST": values.text,
    "MONGODB_PORT": values.port_or_none,
    "MONGODB_USERNAME": values.text,
    "MONGODB_AUTH_MECHANISM": values.text,
    "MONGODB_REPLICA_SET": values.text,
}


def _tutors_settings(config: settings.Config) -> settings.Config:
    plain: settings.Config = {}
    try:
        for name, check in _TUTORS.items():
            plain[name] = check(config.get(name))
        name = "MONGODB_USE_SSL"
        plain[name] = values.boolean(config.get(name, False))
    except ValueError as error:
        raise TutorError(f"{name} ({config.get(name)!r}): {error}") from error
    return plain


def _secret(config: settings.Config, name: str) -> str:
    value = config.get(name)
    # A password of digits alone is a number in YAML.
    return "" if value is None else str(value)


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        # JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is, and for what lies
        # beyond 16 bits, which it would write as two.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
