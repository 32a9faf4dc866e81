"""What is left to do after a restore, in every mode."""

from __future__ import annotations

from tutor import fmt

from . import compat


def say_what_remains(mode: str, in_cms: str) -> None:
    """`in_cms`: how a command is run in a container of the CMS's."""
    init = compat.init_command(mode)
    fmt.echo_info(f"If the archive is of another release of Open edX: {init}")
    index = f"{in_cms} ./manage.py cms reindex_course --all --setup"
    if compat.init_rebuilds_search_index():
        index = init
    fmt.echo_info(f"The search index is in no archive. To rebuild it: {index}")
