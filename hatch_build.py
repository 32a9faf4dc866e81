"""Packs the engine's sources into the plugin's build context when a wheel is made.

One archive instead of a tree: Tutor renders every file of a template folder through Jinja, which
trips over C++'s `{{`. It is an uncompressed tar with sorted names and without times and owners, so
the same sources always give the same bytes, whatever machine packs them (and Docker's cache holds).
Its name ends in `.patch`, one of the few endings that every Tutor release copies byte for
byte; Docker's ADD recognises a tar by its content.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ARCHIVE = "tutorbackup/templates/backup/build/backup/engine.tar.patch"
FILES = ("CMakeLists.txt", "CMakePresets.json", "LICENSE", "packaging/copyright")
FOLDERS = ("cmake", "src")
SUFFIXES = (".cc", ".cmake", ".h", ".in")
BLOCK = 512


def engine_sources(root: Path) -> Iterator[str]:
    """The files that the image is built from, sorted; no tests, since the image runs none."""
    names = list(FILES)
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.suffix in SUFFIXES and not path.stem.endswith(("_test", "_testing")):
                names.append(path.relative_to(root).as_posix())
    yield from sorted(names)


def header(name: str, size: int) -> bytes:
    """A ustar header. By hand, since Python's own fills unused fields differently from version to
    version."""
    fields = [
        name.encode().ljust(100, b"\0"),
        b"0000644\0" + b"0000000\0" * 2,  # mode, user, group
        b"%011o\0" % size + b"%011o\0" % 0,  # time
        b" " * 8,  # the checksum is taken over blanks here
        b"0" + bytes(100) + b"ustar\00000",
        bytes(247),
    ]
    block = b"".join(fields)
    if len(block) != BLOCK:
        raise ValueError(f"the name is too long for a tar of sources: {name}")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def pack(root: Path, archive: Path) -> None:
    with open(archive, "wb") as tar:
        for name in engine_sources(root):
            content = (root / name).read_bytes()
            tar.write(header(name, len(content)))
            tar.write(content + bytes(-len(content) % BLOCK))
        tar.write(bytes(2 * BLOCK))


class EngineSourcesHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        pack(Path(self.root), Path(self.root) / ARCHIVE)
