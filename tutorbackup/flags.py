"""Options that the commands of `local`, `dev` and `k8s` share, as the engine's arguments too."""

from __future__ import annotations

import datetime
import re
from typing import Any, Callable, Dict, Sequence

import click
from tutor import fmt
from tutor.exceptions import TutorError

from . import engine_config, settings, values

COMPONENTS = ("mysql", "mongodb", "caddy", "media", "config")
Options = Dict[str, Any]


class Date(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        # One digit is enough, as it was to the predecessor.
        found = re.fullmatch("([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", str(value))
        if found:
            try:
                return datetime.date(*map(int, found.groups())).isoformat()
            except ValueError:
                pass
        self.fail(f"'{value}' is no date like 2026-11-22", param, ctx)


class Filled(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Of a script's variable that is empty by accident nothing may be made but an error: without
    the option another archive would be taken."""

    name = "text"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            values.filled_text(value)
        except ValueError as error:
            self.fail(f"it {error}", param, ctx)
        return str(value)


class Compression(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "compression"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return values.compression(value)
        except ValueError as error:
            self.fail(f"'{value}' {error}", param, ctx)


class Span(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "duration"

    def __init__(self, check: values.Check):
        self._check = check

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            values.filled_text(value)
            return str(self._check(value))
        except ValueError as error:
            self.fail(f"'{value}' {error}", param, ctx)


def _component_option(flag: str, text: str) -> Callable[[Any], Any]:
    return click.option(
        flag, multiple=True, type=click.Choice(COMPONENTS), help=f"{text} (repeatable)"
    )


def joined(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


choosing_components = joined(
    _component_option("--only", "Only this component"),
    _component_option("--exclude", "Not this component"),
)
remote = click.option("--remote", is_flag=True, help="Those in the S3 bucket")
listing_versions = click.option(
    "--list-versions",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=20,
    metavar="[N]",
    help="Only list the N newest versions in the S3 bucket, deleted ones too (N: 20)",
)
choosing_in_the_place = joined(
    click.option(
        "--date", type=Date(), metavar="YYYY-MM-DD", help="The newest archive of that day"
    ),
    click.option("--name", type=Filled(), metavar="NAME", help="The archive of this name"),
    click.option(
        "--version",
        type=Filled(),
        metavar="ID",
        help="This version of an archive in the S3 bucket",
    ),
)


def always_the_bucket(flag: str) -> Callable[[Any], Any]:
    """What `tutor local` needs to be told, and `tutor k8s` always does."""
    return click.option(flag, is_flag=True, expose_value=False, hidden=True)


naming = joined(
    click.option(
        "--name",
        type=Filled(),
        metavar="NAME",
        help="Name of the archive, instead of backup.DATE",
    ),
    click.option(
        "--compression", type=Compression(), metavar="CODEC[:LEVEL]", help="xz, zstd or none"
    ),
)
showing_tables = click.option(
    "--tables", is_flag=True, help="All tables and collections, not the biggest"
)
verifying = joined(
    click.option("--quick", is_flag=True, help="Index and manifest alone"),
    click.option("--against-live", is_flag=True, help="Compare the running site with the archive"),
)
yes = click.option("--yes", is_flag=True, help="Do not ask")

changing_what_is_live = joined(
    click.option("--dry-run", is_flag=True, help="Only say what would be replaced"),
    yes,
    click.option(
        "--keep-old", is_flag=True, help="Keep what is replaced, so that --undo can bring it back"
    ),
    click.option(
        "--in-place",
        is_flag=True,
        help="For want of room: remove the live data before the archive is loaded; the site is "
        "down meanwhile (--stop-services is recommended), and there is no undo",
    ),
    click.option("--undo", is_flag=True, help="Bring back what the last restore replaced"),
    click.option("--drop-old", is_flag=True, help="Remove what --keep-old has kept"),
    click.option(
        "--skip-applied", is_flag=True, help="Do nothing when the archive is the one restored last"
    ),
    click.option(
        "--max-age",
        type=Span(values.age_or_none),
        metavar="DURATION",
        help="Refuse an archive that is older: 12h, 2d, 1w",
    ),
    click.option("--restart", is_flag=True, help="Restart LMS, CMS and their workers afterwards"),
    click.option("--stop-services", is_flag=True, help="Stop LMS, CMS and their workers meanwhile"),
)

KEEP_RULES = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
keeping = joined(
    *(
        click.option(
            f"--keep-{rule}",
            type=click.IntRange(min=1),
            metavar="N",
            help="Keep the newest N" if rule == "last" else f"Keep the newest of N {rule} periods",
        )
        for rule in KEEP_RULES
    ),
    click.option(
        "--keep-within",
        type=Span(values.span_or_none),
        metavar="DURATION",
        help="Keep all that are so much older than the newest at most: 12h, 30d, 8w, 6m "
        "(months), 1y",
    ),
    click.option("--damaged", is_flag=True, help="Remove damaged archives too"),
    click.option("--dry-run", is_flag=True, help="Only say what would be removed"),
    yes,
)


def valued(options: Options, *names: str) -> list[str]:
    # In one word: a name that begins with a dash is no flag.
    return [f"--{name.replace('_', '-')}={options[name]}" for name in names if options.get(name)]


def switches(options: Options, *names: str) -> list[str]:
    return ["--" + name.replace("_", "-") for name in names if options.get(name)]


def components(
    config: settings.Config, options: Options, not_these: Sequence[str] = ()
) -> list[str]:
    """What of the site is read or replaced. Caddy that is off is no part of it."""
    off = engine_config.why_no_caddy(config)
    if off and "caddy" in options["only"]:
        raise TutorError(f"Caddy keeps no data: {off}")
    if off and not options["only"] and "caddy" not in options["exclude"]:
        fmt.echo_info(f"Caddy is left out: {off}.")
    return of_an_archive(options, not_these)


def of_an_archive(options: Options, not_these: Sequence[str] = ()) -> list[str]:
    """--only and --exclude, whatever the site has."""
    excluded = dict.fromkeys((*options["exclude"], *not_these))
    return [f"--only={name}" for name in options["only"]] + [
        f"--exclude={name}" for name in excluded
    ]


def left_alone(options: Options) -> list[str]:
    """The running site's own settings stay, as they fit its servers' passwords and its host."""
    return [] if options["only"] else ["config"]


def compared(config: settings.Config, options: Options) -> list[str]:
    """What a verification reads. The live config.yml is never the archive's: `tutor config save`
    writes it anew where a site was moved, and into a pod it comes by a Secret."""
    if options["against_live"]:
        return components(config, options, left_alone(options))
    return of_an_archive(options)


def restoring(options: Options, chosen: Sequence[str], parts: Sequence[str]) -> list[str]:
    """`chosen`: what chooses the archive; `parts`: what chooses components."""
    return [
        "restore",
        *chosen,
        *parts,
        *switches(options, "dry_run", "yes", "keep_old", "in_place"),
        *(["--skip-applied=true"] if options["skip_applied"] else []),
        *valued(options, "max_age"),
    ]


def pruning(options: Options) -> list[str]:
    """The rules of a prune, and the rest of it."""
    rules = [f"keep_{rule}" for rule in (*KEEP_RULES, "within")]
    return [*valued(options, *rules), *switches(options, "damaged", "dry_run", "yes")]


def with_kept_data(options: Options) -> list[str]:
    """Arguments of --undo and --drop-old, which need no archive."""
    action = "undo" if options["undo"] else "drop_old"
    others = ["date", "name", "file", "version", "download", "dry_run", "keep_old", "in_place"]
    others += ["skip_applied", "max_age"]
    # Undone is a restore as a whole, or what of it somebody names.
    others += ["drop_old"] if action == "undo" else ["only", "exclude"]
    refuse_beside(action, options, others)
    chosen = [f"--{kind}={name}" for kind in ("only", "exclude") for name in options[kind]]
    return ["restore", *switches(options, action, "yes"), *chosen]


def listing(options: Options) -> list[str]:
    """What --list-versions adds; nothing else can be done beside it."""
    others = ("date", "name", "file", "version", "undo", "drop_old", "dry_run", "in_place")
    refuse_beside("list_versions", options, others)
    return [f"--list-versions={options['list_versions']}"]


def check_restore(options: Options) -> None:
    """Raises UsageError for what cannot be wanted together."""
    if options["restart"] and options["stop_services"]:
        raise click.UsageError(
            "--stop-services starts them afresh: --restart is for a site that runs on"
        )
    if options["in_place"] and not options["list_versions"]:
        refuse_beside("in_place", options, ["keep_old"])
    if options["undo"] or options["drop_old"]:
        with_kept_data(options)


def refuse_beside(name: str, options: Options, others: Sequence[str]) -> None:
    given = [other for other in others if options.get(other)]
    if given:
        first, second = switches(dict.fromkeys((name, given[0]), True), name, given[0])
        raise click.UsageError(f"{first} and {second} exclude each other")
