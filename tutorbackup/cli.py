"""The commands below `tutor local` and `tutor dev`: options in, the engine's arguments out."""

from __future__ import annotations

import os
import shlex
from contextlib import ExitStack
from typing import Any

import click
from tutor import fmt
from tutor.exceptions import TutorError

from . import aftermath, engine_config, flags, job, services

choosing_an_archive = flags.joined(
    flags.choosing_in_the_place,
    click.option(
        "--file",
        "file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, resolve_path=True),
        help="An archive anywhere on this machine",
    ),
)


@click.command(help="Back the site up into an archive in env/backup/, or in the S3 bucket")
@flags.choosing_components
@flags.naming
@click.option("--upload", is_flag=True, help="Straight into the S3 bucket, without a local archive")
@click.pass_obj
def backup(context: Any, /, **options: Any) -> None:
    upload = bool(options["upload"])
    run = _job(context, upload)
    components = flags.components(run.config, options)
    place = _place(run, "to", upload)
    arguments = ["backup", *place, *components, *flags.valued(options, "name", "compression")]
    status = run.run(job.LIVE, arguments)
    if aftermath.succeeded(status):
        where = engine_config.bucket(run.config) if upload else run.path("backup")
        look = f"tutor {run.mode} backups list" + (" --remote" if upload else "")
        fmt.echo_info(f"Archives are in {where}. To look at them: {look}")
        if not upload and not os.access(where, os.W_OK):
            # As Docker makes it for a mount. The engine writes into it all the same.
            fmt.echo_info(
                f"{where} is not yours, so you can neither move archives out of it nor pin them. "
                f'To make it yours: sudo chown -R "$(id -u):$(id -g)" {shlex.quote(where)}'
            )
    _leave(status)


@click.command(
    help="Replace the site's data by an archive's: by the newest in env/backup/ (or in the S3 "
    "bucket), or the one named"
)
@choosing_an_archive
@click.option("--download", is_flag=True, help="Straight from the S3 bucket")
@flags.listing_versions
@flags.choosing_components
@flags.changing_what_is_live
@click.pass_obj
def restore(context: Any, /, **options: Any) -> None:
    flags.check_restore(options)
    if options["list_versions"]:
        _leave(_list_versions(context, options))
        return
    run = _job(context, _is_remote(options))
    mounts: dict[str, str] = {}
    if options["undo"] or options["drop_old"]:
        arguments = flags.with_kept_data(options)
    else:
        parts = flags.components(run.config, options, flags.left_alone(options))
        chosen, mounts = _archive(run, options)
        arguments = flags.restoring(options, chosen, parts)
    if aftermath.needs_a_look_first(options):
        looking = flags.restoring({**options, "dry_run": True}, chosen, parts)
        status, summary = run.restore(looking, mounts)
        if aftermath.ends_after_the_look(status, summary):
            _leave(status)
            return
    with ExitStack() as around:
        if options["stop_services"] and aftermath.may_change_live_data(options):
            around.enter_context(services.stopped(run.runner))
        elif options["in_place"] and aftermath.may_change_live_data(options):
            _recommend_stopping(run)
        status, summary = run.restore(arguments, mounts)
    if aftermath.changed_live_data(options, status, summary):
        _after_restore(run, options)
    _leave(status)


@click.group(help="Look at the archives in env/backup/, or in the S3 bucket")
def backups() -> None:
    pass


@backups.command(name="list", help="Show the archives, newest first")
@flags.remote
@flags.listing_versions
@click.pass_obj
def list_archives(context: Any, /, **options: Any) -> None:
    if options["list_versions"]:
        _leave(_list_versions(context, options))
        return
    run = _job(context, options["remote"], with_servers=False)
    _leave(run.run(job.ARCHIVE, ["list", *_place(run, "from", options["remote"])]))


@backups.command(help="Show what is in an archive")
@choosing_an_archive
@flags.remote
@flags.showing_tables
@click.pass_obj
def inspect(context: Any, /, **options: Any) -> None:
    run = _job(context, _is_remote(options), with_servers=False)
    chosen, mounts = _archive(run, options)
    arguments = ["inspect", *chosen, *flags.switches(options, "tables")]
    _leave(run.run(job.ARCHIVE, arguments, mounts))


@backups.command(help="Read an archive back and compare it with its manifest")
@choosing_an_archive
@flags.remote
@flags.choosing_components
@flags.verifying
@click.pass_obj
def verify(context: Any, /, **options: Any) -> None:
    run = _job(context, _is_remote(options), with_servers=options["against_live"])
    chosen, mounts = _archive(run, options)
    components = flags.compared(run.config, options)
    arguments = ["verify", *chosen, *components, *flags.switches(options, "quick", "against_live")]
    _leave(run.run(job.LIVE if options["against_live"] else job.ARCHIVE, arguments, mounts))


@backups.command(help="Unpack an archive as mysqldump and mongodump would have written it")
@choosing_an_archive
@flags.remote
@flags.choosing_components
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
    run = _job(context, _is_remote(options), with_servers=False)
    chosen, mounts = _archive(run, options)
    parent, name = os.path.split(options["target"])
    if not os.path.isdir(parent):
        raise TutorError(f"there is no folder {parent}")
    components = flags.of_an_archive(options)
    arguments = ["extract", *chosen, *components, "--to", f"/target/{name}"]
    status = run.run(job.ARCHIVE, arguments, {**mounts, "OPENEDX_BACKUP_TARGET": parent})
    if aftermath.succeeded(status):
        # The engine knows it by the container's name.
        fmt.echo_info(f"It is in {options['target']}.")
    _leave(status)


@backups.command(help="Remove the archives that no rule keeps, after a question")
@flags.keeping
@flags.remote
@click.pass_obj
def prune(context: Any, /, **options: Any) -> None:
    run = _job(context, options["remote"], "prune", with_servers=False)
    arguments = [
        "prune",
        *_place(run, "from", options["remote"]),
        *flags.pruning(options),
    ]
    _leave(run.run(job.PRUNE, arguments))


COMMANDS = (backup, restore, backups)


def _job(context: Any, with_bucket: bool, *groups: str, with_servers: bool = True) -> job.Job:
    return job.Job(context, [*groups, "s3"] if with_bucket else groups, with_servers)


def _place(run: job.Job, flag: str, with_bucket: bool) -> list[str]:
    """The settings file names the local one."""
    return [f"--{flag}={engine_config.bucket(run.config)}"] if with_bucket else []


def _is_remote(options: flags.Options) -> bool:
    """A version is one in the bucket: a folder keeps none."""
    return bool(options.get("download") or options.get("remote") or options["version"])


def _list_versions(context: Any, options: flags.Options) -> int:
    shown = flags.listing(options)
    run = _job(context, True, with_servers=False)
    return run.run(job.ARCHIVE, ["list", *_place(run, "from", True), *shown])


def _archive(run: job.Job, options: flags.Options) -> tuple[list[str], dict[str, str]]:
    """Arguments that choose the archive, and what has to be mounted for it."""
    given = [name for name in ("date", "name", "file") if options[name]]
    elsewhere = [name for name in ("download", "remote", "version") if options.get(name)]
    if options["file"]:
        given += elsewhere
    if len(given) > 1:
        raise click.UsageError(f"--{given[0]} and --{given[1]} exclude each other")
    if not options["file"]:
        place = _place(run, "from", _is_remote(options))
        return [*place, *flags.valued(options, "date", "name", "version")], {}
    folder, name = os.path.split(options["file"])
    return [f"--from={engine_config.ARCHIVES}/{name}"], {"OPENEDX_BACKUP_ARCHIVES": folder}


def _recommend_stopping(run: job.Job) -> None:
    """A site that runs on without its data shows errors and writes into what is being restored."""
    names = services.running(run.runner)
    if names:
        fmt.echo_info(
            f"{', '.join(names)} run on while their data are gone. Better answer no, and add "
            "--stop-services (with --yes)."
        )


def _after_restore(run: job.Job, options: flags.Options) -> None:
    mode = run.mode
    if "config" in options["only"]:
        fmt.echo_info("To render what config.yml says now: tutor config save")
    if options["restart"]:
        if services.restart(run.runner) != 0:
            fmt.echo_error("The restart failed.")
    elif not options["stop_services"]:
        fmt.echo_info(f"Restart what keeps data in memory: tutor {mode} restart openedx")
    aftermath.say_what_remains(mode, f"tutor {mode} run cms", options)


def _leave(status: int) -> None:
    """Ends with the engine's status, which Tutor's own error would turn into 1."""
    if status != 0:
        raise SystemExit(status)
