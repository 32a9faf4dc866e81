"""Checks BACKUP_MONGORESTORE_ADDITIONAL_OPTIONS by the engine's own rules (its
mongodb/restore_options.cc): a restore at night is too late to hear of a slip.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Iterator

from . import values

_NUMBERS = ("-j", "--numParallelCollections", "--numInsertionWorkersPerCollection")
_PATTERNS = ("--nsInclude", "--nsExclude", "--nsFrom", "--nsTo")
_SWITCHES = ("--noIndexRestore", "--bypassDocumentValidation")
_TEXTS = ("--writeConcern",)
_WITH_VALUE = (*_NUMBERS, *_PATTERNS, *_TEXTS)
_MOST = 2**31 - 1
# An escaped character, a star, a variable, a dollar that begins none.
_PIECE = re.compile(r"\\.|(\*)|\$([^$]+)\$|(\$)")


def options(value: Any) -> str:
    line = values.text(value)
    found = list(_options(_words(line)))
    for name, content in found:
        _check(name, content)
    sources = [content for name, content in found if name == "--nsFrom"]
    targets = [content for name, content in found if name == "--nsTo"]
    if len(sources) != len(targets):
        raise ValueError(f"has {len(sources)} --nsFrom but {len(targets)} --nsTo")
    for source, target in zip(sources, targets):
        if not _variables("--nsTo", target) <= _variables("--nsFrom", source):
            raise ValueError(
                f"has a --nsTo '{target}' with more wildcards or other variables than its "
                f"--nsFrom '{source}'"
            )
    return line


def _words(line: str) -> list[str]:
    """As the engine takes them: quotes, but no escapes, which patterns have."""
    words = shlex.shlex(line, posix=True)
    words.whitespace_split = True
    words.commenters = words.escape = ""
    try:
        return list(words)
    except ValueError:
        raise ValueError("has a quote that does not end") from None


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    remaining = iter(words)
    for word in remaining:
        name, equals, content = word.partition("=")
        workers = re.fullmatch("-j=?(.+)", word)
        if workers:
            name, equals, content = "-j", "=", workers.group(1)
        elif not word.startswith("--"):
            name, equals, content = word, "", ""
        if name not in (*_WITH_VALUE, *_SWITCHES):
            raise ValueError(
                f"holds '{name}', which a restore does not know; it knows "
                f"{', '.join((*_WITH_VALUE, *_SWITCHES))}"
            )
        if name in _WITH_VALUE and not equals:
            following = next(remaining, None)
            if following is None:
                raise ValueError(f"has no value for {name}")
            content = following
        yield name, content


def _check(name: str, content: str) -> None:
    if name in _NUMBERS and not (
        re.fullmatch("[0-9]{1,10}", content) and 1 <= int(content) <= _MOST
    ):
        raise ValueError(f"has '{content}' for {name}, which wants a number above 0")
    if name in _SWITCHES and content not in ("", "true", "false"):
        raise ValueError(f"has '{content}' for {name}, which takes true or false")
    if name in _PATTERNS:
        _variables(name, content)


def _variables(name: str, pattern: str) -> set[str]:
    """The names of a pattern's variables; a star's is its place among the stars."""
    found = set()
    stars = 0
    for piece in _PIECE.finditer(pattern):
        star, variable, alone = piece.groups()
        if alone:
            raise ValueError(f"has a pattern '{pattern}' for {name} with a '$' without its other")
        if star:
            found.add(f"*{stars}")
            stars += 1
        elif variable:
            found.add(variable)
    return found
