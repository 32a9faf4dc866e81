"""Settings of the image, of the engine in every mode, and of pruning."""

from __future__ import annotations

from . import mongorestore, values
from .__about__ import __version__
from .setting import Setting

IMAGE = (
    Setting("VERSION", __version__, values.text, "version of plugin, engine and image"),
    Setting(
        "DOCKER_IMAGE",
        "{{ DOCKER_REGISTRY }}backup:{{ BACKUP_VERSION }}",
        values.image,
        "image with the engine",
    ),
    Setting(
        "BASE_IMAGE",
        "docker.io/debian:trixie-slim",
        values.image,
        "what the image is built from: Debian 12 or newer, Ubuntu 24.04 or newer",
        "image",
    ),
)

ENGINE = (
    Setting(
        "COMPRESSION", "xz", values.compression, "xz, xz:0 to xz:9, zstd, zstd:1 to zstd:19, none"
    ),
    Setting(
        "ENVIRONMENT",
        {},
        values.environment,
        "more variables of the engine, above all proxies: "
        "`{https_proxy: 'http://proxy:3128', no_proxy: minio}`",
    ),
    Setting("MEMORY", "256MiB", values.memory, "memory for data on their way, 64MiB or more"),
    Setting(
        "THREADS",
        0,
        values.count(0, values.MOST_THREADS),
        "threads that compress; 0: one for each processor",
    ),
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
    Setting(
        "MYSQL_READERS",
        4,
        values.count(1, values.MOST_READERS),
        "connections that read at once; 1 needs no lock",
    ),
    Setting(
        "MYSQL_TLS",
        "preferred",
        values.choice("disabled", "preferred", "required", "verify"),
        "encryption: disabled, preferred, required, verify (checks the certificate too)",
    ),
    Setting(
        "MYSQL_CA_FILE",
        "",
        values.text,
        "file with the authority that signed MySQL's certificate; empty: the usual ones",
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
    Setting(
        "MONGODB_READERS",
        4,
        values.count(1, values.MOST_READERS),
        "connections that read at once",
    ),
    Setting(
        "MONGODB_AUTHENTICATION_DATABASE",
        "{{ MONGODB_AUTH_SOURCE | default('admin', true) }}",
        values.text,
        "where the account lives: Tutor's `MONGODB_AUTH_SOURCE`, else admin",
    ),
    Setting(
        "MONGODB_CA_FILE",
        "",
        values.text,
        "the same of MongoDB, with Tutor's `MONGODB_USE_SSL`",
    ),
    Setting(
        "MONGODB_WRITE_LOCK",
        False,
        values.boolean,
        "on a server that is no replica set hold writers for seconds, so that all is of one moment",
    ),
    Setting(
        "MONGORESTORE_ADDITIONAL_OPTIONS",
        "",
        mongorestore.options,
        "mongorestore's options, as far as they apply (docs/operations.md)",
    ),
)

REPORTING = (
    Setting(
        "METRICS_PUSHGATEWAY_URL",
        "",
        values.url_or_none,
        "Prometheus Pushgateway that gets each run's metrics; empty: none",
    ),
    Setting("METRICS_LABELS", [], values.metrics_labels, "labels of all metrics, NAME=VALUE"),
    Setting(
        "PING_URL",
        "",
        values.url_or_none,
        "called at start (URL/start), success (URL), failure (URL/fail), as healthchecks.io has "
        "it; `{command}` in it is backup, restore, verify or prune",
    ),
    Setting(
        "WEBHOOK_URL",
        "",
        values.url_or_none,
        "gets a POST of JSON at start, success and failure",
    ),
)

_KEEP_RULES = (
    (
        "LAST",
        "`prune` (by hand, or by `BACKUP_K8S_CRONJOB_PRUNE_ENABLE`) keeps so many of the newest",
    ),
    ("HOURLY", "the newest of so many hours"),
    ("DAILY", "the newest of so many days"),
    ("WEEKLY", "the newest of so many weeks"),
    ("MONTHLY", "the newest of so many months"),
    ("YEARLY", "the newest of so many years"),
)
PRUNE = (
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
