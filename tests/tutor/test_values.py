"""Settings: what is accepted, what is refused and how."""

from __future__ import annotations

from typing import Any

import pytest
from tutor.exceptions import TutorError

from tutorbackup import mongorestore, settings, values


@pytest.mark.parametrize(
    ("check", "value", "plain"),
    [
        (values.boolean, "True", True),
        (values.boolean, "no", False),
        (values.boolean, 1, True),
        (values.count(0), "0", 0),
        (values.count(0, 1024), 1024, 1024),
        (values.image, " registry:5000/a/b:1 ", "registry:5000/a/b:1"),
        (values.names, "openedx, notes", ["openedx", "notes"]),
        (values.names, ["a b", 7], ["a b", "7"]),
        (values.names, None, []),
        (values.compression, "xz", "xz"),
        (values.compression, "zstd:19", "zstd:19"),
        (values.compression, "none", "none"),
        (values.memory, "64MiB", "64MiB"),
        (values.memory, "1 GB", "1 GB"),
        (values.memory, str(64 << 20), str(64 << 20)),
        (values.port_or_none, "", None),
        (values.port_or_none, 9000, 9000),
        (values.count_or_none, "", None),
        (values.count_or_none, "30", 30),
        (values.tags, ["site=campus", "note=a=b"], ["site=campus", "note=a=b"]),
        (values.tags, "site=campus kind=backup", ["site=campus", "kind=backup"]),
        (values.span_or_none, "1y6m", "1y6m"),
        (values.span_or_none, "", ""),
        (values.age_or_none, "36h", "36h"),
        (values.bucket, "campus/main", "campus/main"),
        (values.bucket, None, ""),
        (
            values.environment,
            {"https_proxy": "http://p:1", "N": 1},
            {"https_proxy": "http://p:1", "N": "1"},
        ),
        (values.environment, None, {}),
        (values.key_of_32_bytes_or_none, "A" * 43 + "=", "A" * 43 + "="),
        (values.key_of_32_bytes_or_none, None, ""),
        (values.quantity, "1.5Gi", "1.5Gi"),
        (values.cron_line_or_none, "", ""),
    ],
)
def test_accepted(check: values.Check, value: Any, plain: Any) -> None:
    assert check(value) == plain


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (values.boolean, "perhaps"),
        (values.boolean, None),
        (values.count(1), 0),
        (values.count(0), -1),
        (values.count(0), "1.5"),
        (values.count(0), True),
        (values.names, {"a": 1}),
        (values.names, [""]),
        (values.names, [["a"]]),
        (values.names, ["a,b"]),
        (values.compression, "xz:10"),
        (values.compression, "zstd:0"),
        (values.compression, "zstd:20"),
        (values.compression, "gzip"),
        (values.memory, "63MiB"),
        (values.memory, "lots"),
        (values.memory, "-1"),
        (values.port_or_none, 70000),
        (values.count_or_none, 0),
        (values.tags, ["site"]),
        (values.tags, ["=campus"]),
        (values.tags, [f"t{number}=x" for number in range(11)]),
        (values.span_or_none, "30"),
        (values.span_or_none, "0d"),
        (values.span_or_none, "3x"),
        (values.age_or_none, "90m"),
        (values.environment, "A=b"),
        (values.environment, {"a b": "c"}),
        (values.environment, {"TZ": "UTC"}),
        (values.environment, {"MYSQL_ROOT_PASSWORD": "x"}),
        (values.environment, {"AWS_SECRET_ACCESS_KEY": "x"}),
        (values.bucket, "s3://campus"),
        (values.bucket, "/campus"),
        (values.filled_text, ""),
        (values.image, " "),
        (values.image, None),
        (values.image, "debian: trixie"),
        (values.count(0, 1024), 1025),
        (values.environment, {"A": True}),
        (values.key_of_32_bytes_or_none, "A" * 44),
        (values.key_of_32_bytes_or_none, "short"),
        (values.quantity, "10 GB"),
        (values.text, "a\nb"),
        (values.text, ["a"]),
        (values.cron_line, ""),
    ],
)
def test_refused(check: values.Check, value: Any) -> None:
    with pytest.raises(ValueError, match=".+"):
        check(value)


def config(**changed: Any) -> dict[str, Any]:
    plain = {name: default for name, default in settings.defaults() if "{{" not in str(default)}
    rendered = {
        "BACKUP_S3_SIGNATURE_VERSION": "s3v4",
        "BACKUP_S3_ADDRESSING_STYLE": "auto",
        "BACKUP_S3_USE_SSL": "True",
    }
    return {**plain, **rendered, **changed}


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(TutorError) as error:
        settings.checked(
            config(
                BACKUP_COMPRESSION="rar",
                BACKUP_THREADS=-1,
                BACKUP_K8S_CRONJOB_BACKUP_SCHEDULE="daily",
                BACKUP_MYSQL_FLUSH_LOGS="perhaps",
            )
        )
    message = str(error.value)
    assert "BACKUP_COMPRESSION ('rar'): is none of xz" in message
    assert "BACKUP_THREADS (-1): is no whole number" in message
    assert "BACKUP_K8S_CRONJOB_BACKUP_SCHEDULE ('daily')" in message
    assert "BACKUP_MYSQL_FLUSH_LOGS ('perhaps')" in message


def test_half_a_key_is_refused_without_showing_it() -> None:
    with pytest.raises(TutorError, match="BACKUP_S3_ACCESS_KEY and .* the key is empty"):
        settings.checked(config(BACKUP_S3_SECRET_ACCESS_KEY="s3cr3t"))
    with pytest.raises(TutorError) as error:
        settings.checked(config(BACKUP_S3_ACCESS_KEY="k", BACKUP_S3_SECRET_ACCESS_KEY=["s3cr3t"]))
    assert "s3cr3t" not in str(error.value)


def test_settings_of_a_bucket_that_contradict_each_other_are_refused() -> None:
    key = "A" * 43 + "="
    for changed, message in (
        ({"BACKUP_S3_OBJECT_LOCK_MODE": "GOVERNANCE"}, "OBJECT_LOCK_DAYS: one of them is empty"),
        ({"BACKUP_S3_OBJECT_LOCK_DAYS": 30}, "OBJECT_LOCK_DAYS: one of them is empty"),
        ({"BACKUP_S3_SSE_KMS_KEY_ID": "k", "BACKUP_S3_SSE": "AES256"}, "S3_SSE is not aws:kms"),
        ({"BACKUP_S3_SSE_CUSTOMER_KEY": key, "BACKUP_S3_SSE": "AES256"}, "S3_SSE is not none"),
        ({"BACKUP_S3_SSE_CUSTOMER_KEY": "secret!"}, "CUSTOMER_KEY: is no Base64 of 32 bytes"),
    ):
        with pytest.raises(TutorError) as error:
            settings.checked(config(**changed))
        assert message in str(error.value)
        assert "secret!" not in str(error.value)


def test_a_slip_in_another_modes_settings_does_not_stop_a_local_run(site: Any) -> None:
    site.set(BACKUP_K8S_CRONJOB_BACKUP_SCHEDULE="whenever", BACKUP_S3_ACCESS_KEY="half")
    site.set(BACKUP_PRUNE_KEEP_DAILY="some")
    assert site.tutor("local", "backup").exit_code == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKUP_MEMORY", "1MiB"),
        ("BACKUP_MYSQL_READERS", -4),
        ("MONGODB_USE_SSL", "perhaps"),
        ("MYSQL_PORT", "abc"),
    ],
)
def test_an_impossible_setting_stops_a_local_run(site: Any, name: str, value: Any) -> None:
    site.set(**{name: value})
    result = site.tutor("local", "backup")
    assert isinstance(result.exception, TutorError)
    assert name in str(result.exception)
    assert site.calls() == []


@pytest.mark.parametrize(
    "setting",
    [
        "BACKUP_LOCAL_SCHEDULE=99 * * * *",
        "BACKUP_LOCAL_SCHEDULE=daily",
        "BACKUP_K8S_CRONJOB_RESTORE_SCHEDULE=@reboot",
        "BACKUP_COMPRESSION=zip",
        "BACKUP_S3_ACCESS_KEY=half",
    ],
)
def test_config_save_refuses_an_impossible_setting(site: Any, setting: str) -> None:
    result = site.tutor("config", "save", "--set", setting)
    assert isinstance(result.exception, TutorError)
    name = setting.partition("=")[0]
    assert name in str(result.exception)
    # Everything else goes on working, and the next good value mends it.
    assert site.tutor("config", "printvalue", "LMS_HOST").exit_code == 0
    good = {
        "BACKUP_COMPRESSION": "xz",
        "BACKUP_S3_ACCESS_KEY": "",
        "BACKUP_LOCAL_SCHEDULE": "",
        "BACKUP_K8S_CRONJOB_RESTORE_SCHEDULE": "@daily",
    }[name]
    assert site.tutor("config", "save", "--set", f"{name}={good!r}").exit_code == 0


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("512Mi", 512 << 20),
        ("1.5Gi", 3 << 29),
        ("2G", 2 * 10**9),
        (1024, 1024),
        ("128974848", 128974848),
    ],
)
def test_quantities_in_bytes(value: Any, size: int) -> None:
    assert values.quantity_in_bytes(value) == size
    assert values.quantity_in_bytes(f"{value}x") is None


def test_labels_of_metrics_have_prometheuss_names() -> None:
    assert values.metrics_labels("site=campus, rack=1") == ["site=campus", "rack=1"]
    for wrong in ("site", "=x", "1a=x", "a-b=x"):
        with pytest.raises(ValueError, match="NAME=VALUE"):
            values.metrics_labels([wrong])


@pytest.mark.parametrize("wrong", ["ftp://x", "example.org", "https://", "https://a b"])
def test_urls(wrong: str) -> None:
    assert values.url_or_none(" https://example.org/a?b=c ") == "https://example.org/a?b=c"
    assert values.url_or_none(None) == ""
    with pytest.raises(ValueError, match="no URL"):
        values.url_or_none(wrong)


@pytest.mark.parametrize("value", ["foo", "https_proxy=http://proxy:3128", ["a"], 7])
def test_an_environment_that_is_no_mapping_is_named(site: Any, value: Any) -> None:
    """Tutor renders its own templates first, with our patch in them."""
    site.set(BACKUP_ENVIRONMENT=value)
    for command in (("config", "save"), ("local", "backup")):
        result = site.tutor(*command)
        assert result.exit_code == 1
        assert "BACKUP_ENVIRONMENT" in str(result.exception)
        assert "is no mapping like {NAME: value}" in str(result.exception)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "-j 1",
        "-j4 --numParallelCollections=2 --numInsertionWorkersPerCollection 8",
        "--nsInclude 'openedx.*' --nsExclude=\"a.b c\" --noIndexRestore",
        "--nsFrom=open.$a$.* --nsTo=closed.$a$.* --bypassDocumentValidation=false",
        "--nsInclude=cost\\$.* --writeConcern '{w: 1}'",
    ],
)
def test_options_of_mongorestore_that_the_engine_knows(line: str) -> None:
    assert mongorestore.options(line) == line


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("--authenticationDatabase=admin", "--authenticationDatabase"),
        ("--drop", "--drop"),
        ("openedx", "openedx"),
        ("-j abc", "-j"),
        ("-j0", "-j"),
        ("-j=", "-j"),
        ("--numParallelCollections", "--numParallelCollections"),
        ("--noIndexRestore=yes", "--noIndexRestore"),
        ("--nsInclude 'a.b", "quote"),
        ("--nsInclude=a.$b", "--nsInclude"),
        ("--nsFrom=a.b", "--nsTo"),
        ("--nsFrom=a.b --nsTo=a.*", "--nsTo"),
    ],
)
def test_options_of_mongorestore_that_it_would_refuse(line: str, named: str) -> None:
    with pytest.raises(ValueError, match="(?s).*" + named):
        mongorestore.options(line)


def test_an_option_of_mongorestores_is_refused_by_the_settings_name(site: Any) -> None:
    site.set(BACKUP_MONGORESTORE_ADDITIONAL_OPTIONS="--authenticationDatabase=admin")
    result = site.tutor("config", "save")
    assert "BACKUP_MONGORESTORE_ADDITIONAL_OPTIONS" in str(result.exception)
    assert "--authenticationDatabase" in str(result.exception)


def test_what_no_image_or_machine_can_have_is_named(site: Any) -> None:
    wrong = {
        "BACKUP_BASE_IMAGE": "",
        "BACKUP_DOCKER_IMAGE": "a b",
        "BACKUP_THREADS": 5000,
        "BACKUP_MYSQL_READERS": 5000,
        "BACKUP_MONGODB_READERS": 5000,
    }
    site.set(**wrong)
    told = str(site.tutor("config", "save").exception)
    for name in wrong:
        assert name in told
