"""Every setting: its name, default, check and meaning. The plugin declares them from this table,
and docs/tutor.md shows it (a test compares the two).
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, NamedTuple

from tutor.exceptions import TutorError

from . import values
from .__about__ import __version__

PREFIX = "BACKUP_"
# Never shown, not even where they are wrong.
SECRETS = ("S3_SECRET_ACCESS_KEY", "S3_SESSION_TOKEN", "S3_SSE_CUSTOMER_KEY")
Config = Dict[str, Any]


class Setting(NamedTuple):
    key: str  # without PREFIX
    default: Any
    check: values.Check
    meaning: str
    # "local" is what a run here needs. The others are checked only when the environment is
    # rendered: a slip in a cluster's schedule must not keep anybody from a restore at night.
    group: str = "local"

    @property
    def name(self) -> str:
        return PREFIX + self.key


def _s3(option: str, otherwise: str) -> str:
    """The value of the plugin tutor-contrib-s3 when that is enabled."""
    return "{{ S3_" + option + " | default(" + otherwise + ") }}"


_IMAGE = (
    Setting("VERSION", __version__, values.text, "version of plugin, engine and image"),
    Setting(
        "DOCKER_IMAGE",
        "{{ DOCKER_REGISTRY }}backup:{{ BACKUP_VERSION }}",
        values.text,
        "image with the engine",
    ),
    Setting(
        "BASE_IMAGE",
        "docker.io/debian:trixie-slim",
        values.text,
        "what the image is built from: Debian 12 or newer, Ubuntu 24.04 or newer",
        "image",
    ),
)

_LOCAL = (
    Setting(
        "COMPRESSION", "xz", values.compression, "xz, xz:0 to xz:9, zstd, zstd:1 to zstd:19, none"
    ),
    Setting("MEMORY", "256MiB", values.memory, "memory for data on their way, 64MiB or more"),
    Setting("THREADS", 0, values.count(0), "threads that compress; 0: one for each processor"),
    Setting(
        "LOG_LEVEL",
        "",
        values.choice("", "debug", "info", "warning", "error"),
        "least level that is logged: debug, info, warning, error; empty: info",
    ),
    Setting(
        "LOCAL_SCHEDULE",
        "",
        values.cron_line_or_none,
        "when the installed timer backs up, as a cron line; empty: never",
        "schedule",
    ),
    Setting("MYSQL_DATABASES", [], values.names, "back only these up; empty: all"),
    Setting("MYSQL_READERS", 4, values.count(1), "connections that read at once; 1 needs no lock"),
    Setting(
        "MYSQL_TLS",
        "preferred",
        values.choice("disabled", "preferred", "required", "verify"),
        "encryption: disabled, preferred, required, verify (checks the certificate too)",
    ),
    Setting("MYSQL_SINGLE_TRANSACTION", True, values.boolean, "read everything as of one moment"),
    Setting("MYSQL_FLUSH_LOGS", True, values.boolean, "begin a new binary log with the run"),
    Setting(
        "MYSQL_BINLOG",
        False,
        values.boolean,
        "write what a restore loads to the binary log, for replicas",
    ),
    Setting("MONGODB_DATABASES", [], values.names, "back only these up; empty: all"),
    Setting("MONGODB_READERS", 4, values.count(1), "connections that read at once"),
    Setting(
        "MONGODB_AUTHENTICATION_DATABASE",
        "{{ MONGODB_AUTH_SOURCE | default('admin') }}",
        values.text,
        "where the account lives: Tutor's `MONGODB_AUTH_SOURCE`, else admin",
    ),
    Setting(
        "MONGORESTORE_ADDITIONAL_OPTIONS",
        "",
        values.text,
        "mongorestore's options, as far as they apply (docs/operations.md)",
    ),
)

_S3 = (
    Setting("S3_HOST", _s3("HOST", "''"), values.text, "host; empty: AWS", "s3"),
    Setting("S3_PORT", _s3("PORT", "''"), values.port_or_none, "port; empty: the usual one", "s3"),
    Setting("S3_REGION", _s3("REGION", "''"), values.text, "region", "s3"),
    Setting(
        "S3_REGION_NAME",
        "{{ BACKUP_S3_REGION }}",
        values.text,
        "the same under the predecessor's other name; this one wins",
        "s3",
    ),
    Setting(
        "S3_SIGNATURE_VERSION",
        _s3("SIGNATURE_VERSION", "'s3v4'"),
        values.choice("s3v4", "s3"),
        "s3v4, or s3 for version 2",
        "s3",
    ),
    Setting(
        "S3_ADDRESSING_STYLE",
        _s3("ADDRESSING_STYLE", "'auto'"),
        values.choice("auto", "path", "virtual"),
        "auto, path, virtual",
        "s3",
    ),
    Setting("S3_USE_SSL", _s3("USE_SSL", "true"), values.boolean, "connect with TLS", "s3"),
    Setting(
        "S3_ACCESS_KEY", "{{ OPENEDX_AWS_ACCESS_KEY }}", values.text, "key; empty: the role's", "s3"
    ),
    Setting(
        "S3_SECRET_ACCESS_KEY",
        "{{ OPENEDX_AWS_SECRET_ACCESS_KEY }}",
        values.text,
        "the key's secret",
        "s3",
    ),
    Setting("S3_BUCKET_NAME", "backups", values.text, "bucket", "s3"),
    Setting(
        "S3_REQUEST_CHECKSUM_CALCULATION",
        "when_required",
        values.choice("when_required", "when_supported"),
        "when_required, when_supported",
        "s3",
    ),
    Setting(
        "S3_SESSION_TOKEN", "", values.text, "session token, of keys that hold for a time", "s3"
    ),
    Setting(
        "S3_PROFILE",
        "",
        values.text,
        "profile of your AWS files (`~/.aws`) instead of a key; copied for the job",
        "s3",
    ),
    Setting(
        "S3_CA_FILE",
        "",
        values.text,
        "file with the authority that signed the server's certificate; empty: the usual ones",
        "s3",
    ),
    Setting(
        "S3_SSE",
        "none",
        values.choice("none", "AES256", "aws:kms"),
        "encryption by the server: none, AES256, aws:kms",
        "s3",
    ),
    Setting("S3_SSE_KMS_KEY_ID", "", values.text, "key of aws:kms; empty: the account's own", "s3"),
    Setting(
        "S3_SSE_CUSTOMER_KEY",
        "",
        values.key_of_32_bytes_or_none,
        "key of 32 bytes in Base64 that the server encrypts with and does not keep (SSE-C)",
        "s3",
    ),
    Setting("S3_STORAGE_CLASS", "", values.text, "storage class; empty: the bucket's", "s3"),
    Setting(
        "S3_OBJECT_LOCK_MODE",
        "",
        values.choice("", "GOVERNANCE", "COMPLIANCE"),
        "nobody can remove an archive for some days: GOVERNANCE, COMPLIANCE; empty: no lock",
        "s3",
    ),
    Setting("S3_OBJECT_LOCK_DAYS", "", values.count_or_none, "for how many days", "s3"),
    Setting("S3_TAGS", [], values.tags, "tags of the archives, NAME=VALUE", "s3"),
)

_KEEP_RULES = (
    ("LAST", "prune keeps so many of the newest archives"),
    ("HOURLY", "the newest of so many hours"),
    ("DAILY", "the newest of so many days"),
    ("WEEKLY", "the newest of so many weeks"),
    ("MONTHLY", "the newest of so many months"),
    ("YEARLY", "the newest of so many years"),
)
_PRUNE = (
    *(
        Setting(
            f"PRUNE_KEEP_{rule}", "", values.count_or_none, f"{meaning}; empty: no rule", "prune"
        )
        for rule, meaning in _KEEP_RULES
    ),
    Setting(
        "PRUNE_KEEP_WITHIN",
        "",
        values.span_or_none,
        "all that are so much older than the newest at most: 12h, 30d, 8w, 6m, 1y; empty: no rule",
        "prune",
    ),
)

_K8S = (
    Setting(
        "K8S_CRONJOB_HISTORYLIMIT_FAILURE", 1, values.count(0), "failed jobs that are kept", "k8s"
    ),
    Setting(
        "K8S_CRONJOB_HISTORYLIMIT_SUCCESS", 3, values.count(0), "finished jobs that are kept", "k8s"
    ),
    Setting(
        "K8S_CRONJOB_STARTING_DEADLINE_SECONDS",
        900,
        values.count(0),
        "how late a job may start",
        "k8s",
    ),
    Setting("K8S_CRONJOB_BACKUP_ENABLE", True, values.boolean, "whether backups are due", "k8s"),
    Setting("K8S_CRONJOB_BACKUP_SCHEDULE", "0 0 * * *", values.cron_line, "when", "k8s"),
    Setting("K8S_CRONJOB_RESTORE_ENABLE", False, values.boolean, "whether restores are due", "k8s"),
    Setting("K8S_CRONJOB_RESTORE_SCHEDULE", "30 0 * * *", values.cron_line, "when", "k8s"),
    Setting(
        "K8S_CRONJOB_CONCURRENCYPOLICY",
        "Forbid",
        values.choice("Allow", "Forbid", "Replace"),
        "Forbid, Allow, Replace",
        "k8s",
    ),
    Setting(
        "K8S_USE_EPHEMERAL_VOLUMES",
        False,
        values.boolean,
        "room on a volume of the job's own",
        "k8s",
    ),
    Setting("K8S_EPHEMERAL_VOLUME_SIZE", "10Gi", values.quantity, "its size", "k8s"),
)

SETTINGS = (*_IMAGE, *_LOCAL, *_PRUNE, *_S3, *_K8S)


def defaults() -> list[tuple[str, Any]]:
    return [(setting.name, setting.default) for setting in SETTINGS]


def checked(config: Config, groups: Iterable[str] | None = None) -> Config:
    """The settings of these groups (all by default) in their plain form, by key. Raises one
    TutorError that names everything that is wrong.
    """
    wanted = None if groups is None else set(groups)
    plain: Config = {}
    problems: list[str] = []
    for setting in SETTINGS:
        if wanted is not None and setting.group not in wanted:
            continue
        try:
            plain[setting.key] = setting.check(config.get(setting.name))
        except ValueError as error:
            problems.append(_problem(setting, config.get(setting.name), error))
    if wanted is None or "s3" in wanted:
        problems.extend(_half_a_key(plain))
        problems.extend(_what_contradicts(plain))
    if problems:
        raise TutorError("\n    ".join(["these settings are not possible:", *problems]))
    return plain


def _problem(setting: Setting, value: Any, error: ValueError) -> str:
    shown = "" if setting.key in SECRETS else f" ({value!r})"
    return f"{setting.name}{shown}: {error}"


def _half_a_key(plain: Config) -> list[str]:
    key, secret = plain.get("S3_ACCESS_KEY"), plain.get("S3_SECRET_ACCESS_KEY")
    if bool(key) == bool(secret):
        return []
    empty = "secret" if key else "key"
    return [f"{PREFIX}S3_ACCESS_KEY and {PREFIX}S3_SECRET_ACCESS_KEY: the {empty} is empty"]


def _what_contradicts(plain: Config) -> list[str]:
    problems = []
    if bool(plain.get("S3_OBJECT_LOCK_MODE")) != bool(plain.get("S3_OBJECT_LOCK_DAYS")):
        problems.append(
            f"{PREFIX}S3_OBJECT_LOCK_MODE and {PREFIX}S3_OBJECT_LOCK_DAYS: one of them is empty"
        )
    if plain.get("S3_SSE_KMS_KEY_ID") and plain.get("S3_SSE") != "aws:kms":
        problems.append(f"{PREFIX}S3_SSE_KMS_KEY_ID: {PREFIX}S3_SSE is not aws:kms")
    if plain.get("S3_SSE_CUSTOMER_KEY") and plain.get("S3_SSE") != "none":
        problems.append(f"{PREFIX}S3_SSE_CUSTOMER_KEY: {PREFIX}S3_SSE is not none")
    return problems
