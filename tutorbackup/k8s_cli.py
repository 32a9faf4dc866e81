"""The commands below `tutor k8s`: options in, a Job out. Archives are in the bucket."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any, Sequence

import click
from tutor import config as tutor_config
from tutor import fmt
from tutor.exceptions import TutorError

from . import aftermath, engine_config, flags, k8s_services, services
from .k8s_config import K8sConfig
from .k8s_job import JobRun, Outcome
from .k8s_pod import ARCHIVE, LIVE, RESTORE
from .kubectl import Kubectl

INTERRUPTED = 130


class Cluster:
    """The site in its cluster. Raises TutorError for settings that are not possible there."""

    def __init__(self, context: Any):
        self.config = dict(tutor_config.load(context.root))
        self.site = K8sConfig(self.config, context.root)
        self.kubectl = Kubectl(self.site.namespace)
        self.kubectl.log_in()

    def run(self, kind: str, arguments: Sequence[str]) -> Outcome:
        return JobRun(self.site, self.kubectl).run(kind, arguments)


@click.command(help="Back the site up into an archive in the S3 bucket")
@flags.choosing_components
@flags.naming
@flags.always_the_bucket("--upload")
@click.pass_obj
def backup(context: Any, /, **options: Any) -> None:
    cluster = Cluster(context)
    named = flags.valued(options, "name", "compression")
    arguments = ["backup", *flags.components(cluster.config, options), *named]
    outcome = cluster.run(LIVE, arguments)
    if aftermath.succeeded(outcome.status):
        where = engine_config.bucket(cluster.config)
        fmt.echo_info(f"Archives are in {where}. To look at them: tutor k8s backups list")
    _leave(outcome.status)


@click.command(
    help="Replace the site's data by an archive's: by the newest complete one in the S3 bucket, or "
    "the one named"
)
@flags.choosing_in_the_place
@flags.always_the_bucket("--download")
@flags.listing_versions
@flags.choosing_components
@flags.changing_what_is_live
@click.pass_obj
def restore(context: Any, /, **options: Any) -> None:
    flags.check_restore(options)
    if options["list_versions"]:
        _leave(_list(context, flags.listing(options)))
        return
    if "config" in options["only"]:
        raise click.UsageError(
            "--only config: a cluster's config.yml is where you run Tutor, so no pod can replace "
            "it. `tutor local backups extract --remote --only config` unpacks the archive's"
        )
    chosen = _chosen(options)
    cluster = Cluster(context)
    if options["undo"] or options["drop_old"]:
        arguments = _with_kept_data(options)
    else:
        parts = flags.components(cluster.config, options, flags.left_alone(options))
        arguments = _restoring(cluster, options, chosen, parts)
    with ExitStack() as around:
        if options["stop_services"] and aftermath.may_change_live_data(options):
            around.enter_context(k8s_services.stopped(cluster.kubectl))
        outcome = cluster.run(RESTORE, arguments)
    if aftermath.changed_live_data(options, outcome.status, outcome.summary):
        _after_restore(cluster, options)
    _leave(outcome.status)


@click.group(help="Look at the archives in the S3 bucket")
def backups() -> None:
    pass


@backups.command(name="list", help="Show the archives, newest first")
@flags.listing_versions
@click.pass_obj
def list_archives(context: Any, /, **options: Any) -> None:
    _leave(_list(context, flags.listing(options) if options["list_versions"] else []))


@backups.command(help="Show what is in an archive")
@flags.choosing_in_the_place
@flags.showing_tables
@click.pass_obj
def inspect(context: Any, /, **options: Any) -> None:
    arguments = ["inspect", *_chosen(options), *flags.switches(options, "tables")]
    _leave(Cluster(context).run(ARCHIVE, arguments).status)


@backups.command(help="Read an archive back and compare it with its manifest")
@flags.choosing_in_the_place
@flags.choosing_components
@flags.verifying
@click.pass_obj
def verify(context: Any, /, **options: Any) -> None:
    cluster = Cluster(context)
    components = flags.compared(cluster.config, options)
    kinds = flags.switches(options, "quick", "against_live")
    arguments = ["verify", *_chosen(options), *components, *kinds]
    _leave(cluster.run(LIVE if options["against_live"] else ARCHIVE, arguments).status)


@backups.command(help="Remove the archives that no rule keeps, after a question")
@flags.keeping
@click.pass_obj
def prune(context: Any, /, **options: Any) -> None:
    cluster = Cluster(context)
    if not (options["yes"] or options["dry_run"]):
        _check_terminal()
        looked = cluster.run(ARCHIVE, ["prune", *flags.pruning({**options, "dry_run": True})])
        if not aftermath.succeeded(looked.status):
            _leave(looked.status)
        _ask()
    given = {**options, "yes": not options["dry_run"]}
    _leave(cluster.run(ARCHIVE, ["prune", *flags.pruning(given)]).status)


COMMANDS = (backup, restore, backups)


def _list(context: Any, arguments: Sequence[str]) -> int:
    return Cluster(context).run(ARCHIVE, ["list", *arguments]).status


def _chosen(options: flags.Options) -> list[str]:
    if options["date"] and options["name"]:
        raise click.UsageError("--date and --name exclude each other")
    return flags.valued(options, "date", "name", "version")


def _with_kept_data(options: flags.Options) -> list[str]:
    if not options["yes"]:
        _check_terminal()
        undone = "brings back what the last restore replaced, and drops what has come since"
        done = undone if options["undo"] else "removes what --keep-old has kept"
        _ask(f"This {done}.")
    return flags.with_kept_data({**options, "yes": True})


def _restoring(
    cluster: Cluster, options: flags.Options, chosen: Sequence[str], parts: Sequence[str]
) -> list[str]:
    """Shows what is going to happen and asks here, as a pod has nobody to ask."""
    asks = not (options["yes"] or options["dry_run"])
    if not asks and not aftermath.needs_a_look_first(options):
        return flags.restoring(options, chosen, parts)
    if asks:
        _check_terminal()
    looked = cluster.run(RESTORE, flags.restoring({**options, "dry_run": True}, chosen, parts))
    if aftermath.ends_after_the_look(looked.status, looked.summary):
        raise SystemExit(looked.status)
    archive = looked.summary.get("archive")
    if not archive:
        raise TutorError(
            "the job did not say which archive it looked at. Is the image of this version? "
            "tutor images build backup, tutor images push backup"
        )
    if asks:
        _ask()
    # That very one, also when a newer one has come meanwhile.
    pinned = {"name": archive, "version": looked.summary.get("version")}
    return flags.restoring({**options, "yes": True}, flags.valued(pinned, "name", "version"), parts)


def _check_terminal() -> None:
    """As the engine does, by the terminal itself: what is printed may go into a file."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        raise click.UsageError(
            "there is no terminal to ask at: --yes answers, --dry-run only looks"
        ) from None


def _ask(what: str = "") -> None:
    if not click.confirm(f"{what}\nGo on?", default=False):
        click.echo("Nothing was changed.")
        _leave(INTERRUPTED)


def _after_restore(cluster: Cluster, options: flags.Options) -> None:
    if options["restart"]:
        k8s_services.restart(cluster.kubectl)
    elif not options["stop_services"]:
        names = " ".join(f"deployment/{name}" for name in services.OPENEDX)
        fmt.echo_info(
            "Restart what keeps data in memory: kubectl rollout restart "
            f"--namespace={cluster.site.namespace} {names}"
        )
    aftermath.say_what_remains("k8s", "tutor k8s exec cms", options)


def _leave(status: int) -> None:
    """Ends with the engine's status, which Tutor's own error would turn into 1."""
    if status != 0:
        raise SystemExit(status)
