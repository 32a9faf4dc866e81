"""Every setting: its name, default, check and meaning. The plugin declares them from this table,
and docs/tutor.md shows it (a test compares the two).
"""

from __future__ import annotations

from typing import Any, Dict, Iterable

from tutor.exceptions import TutorError

from .setting import PREFIX, Setting
from .settings_engine import ENGINE, IMAGE, PRUNE, REPORTING
from .settings_k8s import K8S
from .settings_s3 import S3

# Never shown, not even where they are wrong. A URL may hold a password or a token.
SECRETS = (
    "S3_SECRET_ACCESS_KEY",
    "S3_SESSION_TOKEN",
    "S3_SSE_CUSTOMER_KEY",
    "METRICS_PUSHGATEWAY_URL",
    "PING_URL",
    "WEBHOOK_URL",
)
Config = Dict[str, Any]

SETTINGS = (*IMAGE, *ENGINE, *REPORTING, *PRUNE, *S3, *K8S)


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
    if wanted is None or {"k8s", "prune"} <= wanted:
        problems.extend(_prune_without_rules(plain))
    if wanted is None or "s3" in wanted:
        problems.extend(_half_a_key(plain))
        problems.extend(_what_contradicts(plain))
        problems.extend(_profile_instead_of_key(plain, config))
    if problems:
        raise TutorError("\n    ".join(["these settings are not possible:", *problems]))
    return plain


def _problem(setting: Setting, value: Any, error: ValueError) -> str:
    shown = "" if setting.key in SECRETS else f" ({value!r})"
    return f"{setting.name}{shown}: {error}"


def _prune_without_rules(plain: Config) -> list[str]:
    if not plain.get("K8S_CRONJOB_PRUNE_ENABLE"):
        return []
    if any(value for key, value in plain.items() if key.startswith("PRUNE_KEEP_")):
        return []
    return [f"{PREFIX}K8S_CRONJOB_PRUNE_ENABLE: there is no rule, {PREFIX}PRUNE_KEEP_…"]


def _half_a_key(plain: Config) -> list[str]:
    key, secret = plain.get("S3_ACCESS_KEY"), plain.get("S3_SECRET_ACCESS_KEY")
    if bool(key) == bool(secret):
        return []
    empty = "secret" if key else "key"
    return [f"{PREFIX}S3_ACCESS_KEY and {PREFIX}S3_SECRET_ACCESS_KEY: the {empty} is empty"]


def _profile_instead_of_key(plain: Config, config: Config) -> list[str]:
    """Keys come first to the engine, so Open edX's own, which are the defaults, give way here."""
    if not plain.get("S3_PROFILE") or not plain.get("S3_ACCESS_KEY"):
        return []
    if plain["S3_ACCESS_KEY"] != str(config.get("OPENEDX_AWS_ACCESS_KEY")):
        return [f"{PREFIX}S3_PROFILE and {PREFIX}S3_ACCESS_KEY: set one of them"]
    plain.update(S3_ACCESS_KEY="", S3_SECRET_ACCESS_KEY="", S3_SESSION_TOKEN="")
    return []


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
