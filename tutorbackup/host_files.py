"""Files of this machine that the engine needs: authorities, and a profile of AWS's files."""

from __future__ import annotations

import os
import re

from tutor.exceptions import TutorError

from . import settings

# By the key of the setting that names it: its name where the engine runs.
AUTHORITIES = {
    "MYSQL_CA_FILE": "mysql-ca.pem",
    "MONGODB_CA_FILE": "mongodb-ca.pem",
    "S3_CA_FILE": "s3-ca.pem",
}
# AWS's variable and usual place, by the name where the engine runs.
AWS_FILES = {
    "aws-credentials": ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    "aws-config": ("AWS_CONFIG_FILE", "~/.aws/config"),
}
OF_BUCKET = (AUTHORITIES["S3_CA_FILE"], *AWS_FILES)
_SECTION = re.compile(rb"\s*\[\s*(?:profile\s+)?([^\]]*?)\s*\]")


def of_servers(config: settings.Config) -> dict[str, bytes]:
    """The authorities of MySQL and MongoDB, by name. Raises TutorError that names the setting."""
    return _authorities(settings.checked(config, ["local"]))


def of_bucket(config: settings.Config, with_profile: bool = True) -> dict[str, bytes]:
    """What the engine needs for the bucket. `with_profile`: false where AWS's files come from
    elsewhere. Raises TutorError that names the setting."""
    ours = settings.checked(config, ["s3"])
    found = _authorities(ours)
    if ours["S3_PROFILE"] and with_profile:
        found.update(_profile(ours["S3_PROFILE"]))
    return found


def _authorities(ours: settings.Config) -> dict[str, bytes]:
    return {
        name: _content(f"BACKUP_{key}", ours[key])
        for key, name in AUTHORITIES.items()
        if ours.get(key)
    }


def _profile(profile: str) -> dict[str, bytes]:
    """What the files say of this profile; of others the job has no need to know."""
    found = {}
    looked = []
    for name, (variable, usual) in AWS_FILES.items():
        path = os.environ.get(variable) or os.path.expanduser(usual)
        looked.append(path)
        if os.path.exists(path):
            sections = _sections(_content("BACKUP_S3_PROFILE", path), profile)
            if sections:
                found[name] = sections
    if not found:
        raise TutorError(
            f"BACKUP_S3_PROFILE: there is no profile {profile} in {' or '.join(looked)}"
        )
    return found


def _sections(content: bytes, profile: str) -> bytes:
    wanted = False
    kept = []
    for line in content.splitlines(keepends=True):
        header = _SECTION.match(line)
        if header:
            wanted = header.group(1).decode("utf-8", "replace") == profile
        if wanted:
            kept.append(line)
    return b"".join(kept)


def _content(setting: str, path: str) -> bytes:
    try:
        with open(os.path.expanduser(path), "rb") as file:
            return file.read()
    except OSError as error:
        raise TutorError(f"{setting}: cannot read {path}: {error.strerror}") from error
