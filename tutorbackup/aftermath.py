"""What a restore did, and what is left to do after it, in every mode."""

from __future__ import annotations

from typing import Any, Dict

from tutor import fmt

from . import compat, flags

_COMPLETE, _WARNINGS = 0, 3
Summary = Dict[str, Any]  # the engine's, as docs/monitoring.md has it; empty when there is none


def succeeded(status: int) -> bool:
    return status in (_COMPLETE, _WARNINGS)


def may_change_live_data(options: flags.Options) -> bool:
    return not (options["dry_run"] or options["drop_old"])


def changed_live_data(options: flags.Options, status: int, summary: Summary) -> bool:
    """A swap of an earlier run that this one finished counts whatever became of the rest: also
    when the question was answered by no."""
    if summary.get("finished_swaps"):
        return True
    return succeeded(status) and may_change_live_data(options) and not summary.get("skipped")


def needs_a_look_first(options: flags.Options) -> bool:
    """The services are not to be stopped for an archive that the site holds already."""
    return bool(
        options["stop_services"] and options["skip_applied"] and may_change_live_data(options)
    )


def ends_after_the_look(status: int, summary: Summary) -> bool:
    """`status` and `summary` of a dry run. One with warnings may have seen a swap that broke off,
    which only a restore finishes."""
    if status == _WARNINGS:
        return False
    return status != _COMPLETE or bool(summary.get("skipped"))


def say_what_remains(mode: str, in_cms: str, options: flags.Options) -> None:
    """`in_cms`: how a command is run in a container of the CMS's."""
    init = compat.init_command(mode)
    if not options["undo"]:
        # What an undo brings back is the site's own.
        fmt.echo_info(f"If the archive is of another release of Open edX: {init}")
    index = f"{in_cms} ./manage.py cms reindex_course --all --setup"
    if compat.init_rebuilds_search_index():
        index = init
    fmt.echo_info(f"The search index is in no archive. To rebuild it: {index}")
