"""The commands below `tutor local` and `tutor dev`: options in, the engine's arguments out."""

from __future__ import annotations

import datetime
import os
import re
from contextlib import ExitStack
from typing import Any, Callable, Dict, Sequence

import click
from tutor import fmt
from tutor.exceptions import TutorError

from . import compat, engine_config, job, services, values

COMPONENTS = ("mysql", "mongodb", "caddy", "media", "config")
Options = Dict[str, Any]


class Date(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", str(value)):
            try:
                return datetime.date.fromisoformat(str(value)).isoformat()
            except ValueError:
                pass
        self.fail(f"'{value}' is no date like 2026-11-22", param, ctx)


class Compression(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "compression"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return values.compression(value)
        except ValueError as error:
            self.fail(f"'{value}' {error}", param, ctx)


class Span(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return values.span_or_none(value)
        except ValueError as error:
            self.fail(f"'{value}' {error}", param, ctx)


def _component_option(flag: str, text: str) -> Callable[[Any], Any]:
    return click.option(
        flag, multiple=True, type=click.Choice(COMPONENTS), help=f"{text} (repeatable)"
    )


def _options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


choosing_components = _options(
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
choosing_an_archive = _options(
    click.option(
        "--date", type=Date(), metavar="YYYY-MM-DD", help="The newest archive of that day"
    ),
    click.option("--name", metavar="NAME", help="The archive of this name"),
    click.option("--version", metavar="ID", help="This version of an archive in the S3 bucket"),
    click.option(
        "--file",
        "file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, resolve_path=True),
        help="An archive anywhere on this machine",
    ),
)


@click.command(help="Back the site up into an archive in env/backup/, or in the S3 bucket")
@choosing_components
@click.option("--name", metavar="NAME", help="Name of the archive, instead of backup.DATE")
@click.option("--compression", type=Compression(), metavar="CODEC[:LEVEL]", help="xz, zstd or none")
@click.option("--upload", is_flag=True, help="Straight into the S3 bucket, without a local archive")
@click.pass_obj
def backup(context: Any, /, **options: Any) -> None:
    upload = bool(options["upload"])
    run = _job(context, upload)
    components = _components(run, options, [])
    place = _place(run, "to", upload)
    arguments = ["backup", *place, *components, *_valued(options, "name", "compression")]
    status = run.run(job.LIVE, arguments)
    if status in (job.COMPLETE, job.WARNINGS):
        where = engine_config.bucket(run.config) if upload else run.path("backup")
        look = f"tutor {run.mode} backups list" + (" --remote" if upload else "")
        fmt.echo_info(f"Archives are in {where}. To look at them: {look}")
    _leave(status)


@click.command(
    help="Replace the site's data by an archive's: by the newest in env/backup/ (or in the S3 "
    "bucket), or the one named"
)
@choosing_an_archive
@click.option("--download", is_flag=True, help="Straight from the S3 bucket")
@listing_versions
@choosing_components
@click.option("--dry-run", is_flag=True, help="Only say what would be replaced")
@click.option("--yes", is_flag=True, help="Do not ask")
@click.option(
    "--keep-old", is_flag=True, help="Keep what is replaced, so that --undo can bring it back"
)
@click.option(
    "--in-place",
    is_flag=True,
    help="For want of room: remove the live data before the archive is loaded; the site is down "
    "meanwhile (--stop-services is recommended), and there is no undo",
)
@click.option("--undo", is_flag=True, help="Bring back what the last restore replaced")
@click.option("--drop-old", is_flag=True, help="Remove what --keep-old has kept")
@click.option("--restart", is_flag=True, help="Restart LMS, CMS and their workers afterwards")
@click.option("--stop-services", is_flag=True, help="Stop LMS, CMS and their workers meanwhile")
@click.pass_obj
def restore(context: Any, /, **options: Any) -> None:
    if options["restart"] and options["stop_services"]:
        raise click.UsageError(
            "--stop-services starts them afresh: --restart is for a site that runs on"
        )
    if options["list_versions"]:
        _leave(_list_versions(context, options))
        return
    if options["in_place"] and options["keep_old"]:
        raise click.UsageError("--in-place and --keep-old exclude each other")
    run = _job(context, _is_remote(options))
    mounts: dict[str, str] = {}
    if options["undo"] or options["drop_old"]:
        arguments = _with_kept_data(options)
    else:
        # The running site's own settings stay, as they fit its servers' passwords and its host.
        left_alone = [] if options["only"] else ["config"]
        components = _components(run, options, left_alone)
        chosen, mounts = _archive(run, options)
        arguments = [
            "restore",
            *chosen,
            *components,
            *_flags(options, "dry_run", "yes", "keep_old", "in_place"),
        ]
    changes_live_data = not (options["dry_run"] or options["drop_old"])
    with ExitStack() as around:
        if options["stop_services"] and changes_live_data:
            around.enter_context(services.stopped(run.runner))
        elif options["in_place"] and changes_live_data:
            _recommend_stopping(run)
        status = run.run(job.RESTORE, arguments, mounts)
    if status in (job.COMPLETE, job.WARNINGS) and changes_live_data:
        _after_restore(run, options)
    _leave(status)


@click.group(help="Look at the archives in env/backup/, or in the S3 bucket")
def backups() -> None:
    pass


@backups.command(name="list", help="Show the archives, newest first")
@remote
@listing_versions
@click.pass_obj
def list_archives(context: Any, /, **options: Any) -> None:
    if options["list_versions"]:
        _leave(_list_versions(context, options))
        return
    run = _job(context, options["remote"])
    _leave(run.run(job.ARCHIVE, ["list", *_place(run, "from", options["remote"])]))


@backups.command(help="Show what is in an archive")
@choosing_an_archive
@remote
@click.option("--tables", is_flag=True, help="All tables and collections, not the biggest")
@click.pass_obj
def inspect(context: Any, /, **options: Any) -> None:
    run = _job(context, _is_remote(options))
    chosen, mounts = _archive(run, options)
    arguments = ["inspect", *chosen, *_flags(options, "tables")]
    _leave(run.run(job.ARCHIVE, arguments, mounts))


@backups.command(help="Read an archive back and compare it with its manifest")
@choosing_an_archive
@remote
@choosing_components
@click.option("--quick", is_flag=True, help="Index and manifest alone")
@click.option("--against-live", is_flag=True, help="Compare the running site with the archive")
@click.pass_obj
def verify(context: Any, /, **options: Any) -> None:
    run = _job(context, _is_remote(options))
    chosen, mounts = _archive(run, options)
    components = _components(run, options, [])
    arguments = ["verify", *chosen, *components, *_flags(options, "quick", "against_live")]
    _leave(run.run(job.LIVE if options["against_live"] else job.ARCHIVE, arguments, mounts))


@backups.command(help="Unpack an archive as mysqldump and mongodump would have written it")
@choosing_an_archive
@remote
@choosing_components
@click.option(
    "--to",
    "target",
    required=True,
    metavar="FOLDER",
    type=click.Path(file_okay=False, resolve_path=True),
    help="A folder that is new or empty",
)
@click.pass_obj
def extract(context: Any, /, **options: Any) -> None:
    run = _job(context, _is_remote(options))
    chosen, mounts = _archive(run, options)
    parent, name = os.path.split(options["target"])
    if not os.path.isdir(parent):
        raise TutorError(f"there is no folder {parent}")
    components = _components(run, options, [])
    arguments = ["extract", *chosen, *components, "--to", f"/target/{name}"]
    status = run.run(job.ARCHIVE, arguments, {**mounts, "OPENEDX_BACKUP_TARGET": parent})
    if status in (job.COMPLETE, job.WARNINGS):
        # The engine knows it by the container's name.
        fmt.echo_info(f"It is in {options['target']}.")
    _leave(status)


KEEP_RULES = ("last", "hourly", "daily", "weekly", "monthly", "yearly")


@backups.command(help="Remove the archives that no rule keeps, after a question")
@_options(
    *(
        click.option(
            f"--keep-{rule}",
            type=click.IntRange(min=1),
            metavar="N",
            help="Keep the newest N" if rule == "last" else f"Keep the newest of N {rule} periods",
        )
        for rule in KEEP_RULES
    )
)
@click.option(
    "--keep-within",
    type=Span(),
    metavar="DURATION",
    help="Keep all that are so much older than the newest at most: 12h, 30d, 8w, 6m, 1y",
)
@click.option("--damaged", is_flag=True, help="Remove damaged archives too")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed")
@click.option("--yes", is_flag=True, help="Do not ask")
@remote
@click.pass_obj
def prune(context: Any, /, **options: Any) -> None:
    run = _job(context, options["remote"], "prune")
    rules = [f"keep_{rule}" for rule in (*KEEP_RULES, "within")]
    arguments = [
        "prune",
        *_place(run, "from", options["remote"]),
        *_valued(options, *rules),
        *_flags(options, "damaged", "dry_run", "yes"),
    ]
    _leave(run.run(job.PRUNE, arguments))


COMMANDS = (backup, restore, backups)


def _job(context: Any, with_bucket: bool, *groups: str) -> job.Job:
    return job.Job(context, [*groups, "s3"] if with_bucket else groups)


def _place(run: job.Job, flag: str, with_bucket: bool) -> list[str]:
    """The settings file names the local one."""
    return [f"--{flag}={engine_config.bucket(run.config)}"] if with_bucket else []


def _is_remote(options: Options) -> bool:
    """A version is one in the bucket: a folder keeps none."""
    return bool(options.get("download") or options.get("remote") or options["version"])


def _list_versions(context: Any, options: Options) -> int:
    others = ("date", "name", "file", "version", "undo", "drop_old", "dry_run", "in_place")
    given = [name for name in others if options.get(name)]
    if given:
        flags = _flags(dict.fromkeys(given, True), given[0])
        raise click.UsageError(f"--list-versions and {flags[0]} exclude each other")
    run = _job(context, True)
    shown = f"--list-versions={options['list_versions']}"
    return run.run(job.ARCHIVE, ["list", *_place(run, "from", True), shown])


def _components(run: job.Job, options: Options, left_alone: Sequence[str]) -> list[str]:
    """--only and --exclude. Caddy that is off is no part of the site."""
    off = engine_config.why_no_caddy(run.config)
    if off and "caddy" in options["only"]:
        raise TutorError(f"Caddy keeps no data: {off}")
    if off and not options["only"] and "caddy" not in options["exclude"]:
        fmt.echo_info(f"Caddy is left out: {off}.")
    excluded = dict.fromkeys((*options["exclude"], *left_alone))
    return [f"--only={name}" for name in options["only"]] + [
        f"--exclude={name}" for name in excluded
    ]


def _archive(run: job.Job, options: Options) -> tuple[list[str], dict[str, str]]:
    """Arguments that choose the archive, and what has to be mounted for it."""
    given = [name for name in ("date", "name", "file") if options[name]]
    elsewhere = [name for name in ("download", "remote", "version") if options.get(name)]
    if options["file"]:
        given += elsewhere
    if len(given) > 1:
        raise click.UsageError(f"--{given[0]} and --{given[1]} exclude each other")
    if not options["file"]:
        place = _place(run, "from", _is_remote(options))
        return [*place, *_valued(options, "date", "name", "version")], {}
    folder, name = os.path.split(options["file"])
    return [f"--from={engine_config.ARCHIVES}/{name}"], {"OPENEDX_BACKUP_ARCHIVES": folder}


def _with_kept_data(options: Options) -> list[str]:
    """Arguments of --undo and --drop-old, which need no archive."""
    action = "undo" if options["undo"] else "drop_old"
    others = ["date", "name", "file", "version", "download", "dry_run", "keep_old", "in_place"]
    # Undone is a restore as a whole, or what of it somebody names.
    others += ["drop_old"] if action == "undo" else ["only", "exclude"]
    given = [name for name in others if options[name]]
    if given:
        flags = _flags(options, action, given[0])
        raise click.UsageError(f"{flags[0]} and {flags[1]} exclude each other")
    chosen = [f"--{kind}={name}" for kind in ("only", "exclude") for name in options[kind]]
    return ["restore", *_flags(options, action, "yes"), *chosen]


def _valued(options: Options, *names: str) -> list[str]:
    # In one word: a name that begins with a dash is no flag.
    return [f"--{name.replace('_', '-')}={options[name]}" for name in names if options[name]]


def _flags(options: Options, *names: str) -> list[str]:
    return ["--" + name.replace("_", "-") for name in names if options[name]]


def _recommend_stopping(run: job.Job) -> None:
    """A site that runs on without its data shows errors and writes into what is being restored."""
    names = services.running(run.runner)
    if names:
        fmt.echo_info(
            f"{', '.join(names)} run on while their data are gone. Better answer no, and add "
            "--stop-services (with --yes)."
        )


def _after_restore(run: job.Job, options: Options) -> None:
    mode = run.mode
    if "config" in options["only"]:
        fmt.echo_info("To render what config.yml says now: tutor config save")
    if options["restart"]:
        if services.restart(run.runner) != 0:
            fmt.echo_error("The restart failed.")
    elif not options["stop_services"]:
        fmt.echo_info(f"Restart what keeps data in memory: tutor {mode} restart openedx")
    init = compat.init_command(mode)
    fmt.echo_info(f"If the archive is of another release of Open edX: {init}")
    index = f"tutor {mode} run cms ./manage.py cms reindex_course --all --setup"
    if compat.init_rebuilds_search_index():
        index = init
    fmt.echo_info(f"The search index is in no archive. To rebuild it: {index}")


def _leave(status: int) -> None:
    """Ends with the engine's status, which Tutor's own error would turn into 1."""
    if status != 0:
        raise SystemExit(status)
