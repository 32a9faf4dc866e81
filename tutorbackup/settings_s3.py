"""Settings of the bucket."""

from __future__ import annotations

from . import values
from .setting import Setting


def _s3(option: str, otherwise: str) -> str:
    """The value of the plugin tutor-contrib-s3 when that is enabled. A setting without a value
    in config.yml is null, which would be rendered as "None"."""
    return "{{ S3_" + option + " | default(" + otherwise + ", true) }}"


S3 = (
    Setting("S3_HOST", _s3("HOST", "''"), values.text, "host; empty: AWS", "s3"),
    Setting("S3_PORT", _s3("PORT", "''"), values.port_or_none, "port; empty: the usual one", "s3"),
    Setting("S3_REGION", _s3("REGION", "''"), values.text, "region", "s3"),
    Setting(
        "S3_REGION_NAME",
        "{{ BACKUP_S3_REGION or '' }}",
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
    Setting(
        "S3_USE_SSL",
        # Not _s3: its default takes the place of false too.
        "{{ true if S3_USE_SSL | default(none) is none else S3_USE_SSL }}",
        values.boolean,
        "connect with TLS",
        "s3",
    ),
    Setting(
        "S3_ACCESS_KEY",
        "{{ OPENEDX_AWS_ACCESS_KEY or '' }}",
        values.text,
        "key; empty: the role's",
        "s3",
    ),
    Setting(
        "S3_SECRET_ACCESS_KEY",
        "{{ OPENEDX_AWS_SECRET_ACCESS_KEY or '' }}",
        values.text,
        "the key's secret",
        "s3",
    ),
    Setting("S3_BUCKET_NAME", "backups", values.bucket, "bucket, or BUCKET/FOLDER", "s3"),
    Setting(
        "S3_REQUEST_CHECKSUM_CALCULATION",
        _s3("REQUEST_CHECKSUM_CALCULATION", "'when_required'"),
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
        "profile of your AWS files (`~/.aws`) instead of a key; what they say of it is copied for "
        "the job",
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
        "an archive cannot be removed for some days: GOVERNANCE (but by those who may bypass it), "
        "COMPLIANCE (by nobody); empty: no lock",
        "s3",
    ),
    Setting("S3_OBJECT_LOCK_DAYS", "", values.count_or_none, "for how many days", "s3"),
    Setting("S3_TAGS", [], values.tags, "tags of the archives, NAME=VALUE", "s3"),
)
