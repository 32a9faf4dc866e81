"""The engine's settings file, made from Tutor's settings.

A TOML file of our own, so that no value ever passes YAML, Compose's `$` or a shell, and no secret
stands in the environment, an argument or `docker inspect`.
"""

from __future__ import annotations

import json
from typing import Any, Iterable, Iterator, Tuple

from tutor.exceptions import TutorError

from . import compat, host_files, settings, values

ARCHIVES = "/data/backup"
# Of the job's folder in the container, which has what only the operator may read.
JOB = "/run/openedx-backup"
# A file beside it, for what became of a restore.
SUMMARY = "/run/openedx-backup-summary"
MEDIA = "/media"
CADDY = "/caddy"
TUTOR_CONFIG = "/tutor/config.yml"
Entries = Iterable[Tuple[str, Any]]


class Secret(str):
    """A value that nobody else may see. In a cluster the settings file only says where it is."""


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


def bucket(config: settings.Config) -> str:
    """The place of archives in S3, as the engine has it."""
    name = settings.checked(config, ["s3"])["S3_BUCKET_NAME"]
    if not name:
        raise TutorError("BACKUP_S3_BUCKET_NAME is empty")
    return f"s3://{name}"


def render(config: settings.Config, groups: Iterable[str] = ()) -> str:
    """The file's text. `groups`: settings that only some runs need, "s3" and "prune". Raises
    TutorError that names a setting with an impossible value.
    """
    return to_toml(_all_entries(config, groups))


def to_toml(entries: Entries) -> str:
    lines = []
    for key, value in entries:
        # What is empty is not set.
        if value not in ("", [], None):
            lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _all_entries(config: settings.Config, groups: Iterable[str]) -> Iterator[tuple[str, Any]]:
    yield "location", ARCHIVES
    yield from engine_entries(config)
    yield "caddy", CADDY if caddy_is_on(config) else None
    yield "media", [f"{name}={MEDIA}/{name}" for name in media_folders()]
    yield "tutor-config", TUTOR_CONFIG
    if "s3" in groups:
        yield from bucket_entries(config)
    if "prune" in groups:
        yield from prune_entries(config)


def prune_entries(config: settings.Config) -> Iterator[tuple[str, Any]]:
    for key, value in settings.checked(config, ["prune"]).items():
        yield key[len("PRUNE_") :].lower().replace("_", "-"), value


def engine_entries(config: settings.Config) -> Iterator[tuple[str, Any]]:
    """What is the same wherever the engine runs: the run, the servers, whom it reports to."""
    ours = settings.checked(config, ["local"])
    yield "compression", ours["COMPRESSION"]
    yield "memory", ours["MEMORY"]
    yield "threads", ours["THREADS"] or None
    yield "log-level", ours["LOG_LEVEL"]
    yield from _server_entries(config, ours)
    yield "metrics-pushgateway-url", Secret(ours["METRICS_PUSHGATEWAY_URL"])
    yield "metrics-labels", ours["METRICS_LABELS"]
    yield "ping-url", Secret(ours["PING_URL"])
    yield "webhook-url", Secret(ours["WEBHOOK_URL"])


def _server_entries(config: settings.Config, ours: settings.Config) -> Iterator[tuple[str, Any]]:
    tutors = _tutors_settings(config)
    yield "mysql-host", tutors["MYSQL_HOST"]
    yield "mysql-port", tutors["MYSQL_PORT"]
    yield "mysql-user", tutors["MYSQL_ROOT_USERNAME"]
    yield "mysql-password", _secret(config, "MYSQL_ROOT_PASSWORD")
    yield "mysql-tls", ours["MYSQL_TLS"]
    yield "mysql-ca-file", _authority("MYSQL_CA_FILE", ours)
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
    yield "mongodb-ca-file", _authority("MONGODB_CA_FILE", ours)
    yield "mongodb-write-lock", ours["MONGODB_WRITE_LOCK"]
    yield "mongorestore-options", ours["MONGORESTORE_ADDITIONAL_OPTIONS"]


def bucket_entries(config: settings.Config) -> Iterator[tuple[str, Any]]:
    """Without keys the engine looks for those of the machine it runs on."""
    ours = settings.checked(config, ["s3"])
    yield "s3-endpoint-url", _endpoint(ours["S3_HOST"], ours["S3_PORT"])
    yield "s3-use-ssl", ours["S3_USE_SSL"]
    yield "s3-region", ours["S3_REGION_NAME"]
    yield "s3-bucket", ours["S3_BUCKET_NAME"]
    yield "s3-access-key", Secret(ours["S3_ACCESS_KEY"])
    yield "s3-secret-access-key", Secret(ours["S3_SECRET_ACCESS_KEY"])
    yield "s3-session-token", Secret(ours["S3_SESSION_TOKEN"])
    yield "s3-profile", ours["S3_PROFILE"]
    yield "s3-addressing-style", ours["S3_ADDRESSING_STYLE"]
    yield "s3-signature-version", ours["S3_SIGNATURE_VERSION"]
    yield "s3-request-checksum-calculation", ours["S3_REQUEST_CHECKSUM_CALCULATION"]
    yield "s3-ca-file", _authority("S3_CA_FILE", ours)
    yield "s3-sse", ours["S3_SSE"]
    yield "s3-sse-kms-key-id", ours["S3_SSE_KMS_KEY_ID"]
    yield "s3-sse-customer-key", Secret(ours["S3_SSE_CUSTOMER_KEY"])
    yield "s3-storage-class", ours["S3_STORAGE_CLASS"]
    yield "s3-object-lock-mode", ours["S3_OBJECT_LOCK_MODE"]
    yield "s3-object-lock-days", ours["S3_OBJECT_LOCK_DAYS"]
    yield "s3-tags", ours["S3_TAGS"]


def _authority(key: str, ours: settings.Config) -> str | None:
    return f"{JOB}/{host_files.AUTHORITIES[key]}" if ours[key] else None


def _endpoint(host: str, port: int | None) -> str:
    """Empty: AWS's own. A host that is an address of IPv6 needs its brackets."""
    if not host:
        return ""
    if host.count(":") > 1 and "/" not in host and not host.startswith("["):
        host = f"[{host}]"
    return f"{host}:{port}" if port else host


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


def _secret(config: settings.Config, name: str) -> Secret:
    value = config.get(name)
    # A password of digits alone is a number in YAML.
    return Secret("" if value is None else str(value))


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        # JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is, and for what lies
        # beyond 16 bits, which it would write as two.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
