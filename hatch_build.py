"""Packs the engine's sources into the plugin's build context when a wheel is made.

One archive instead of a tree: Tutor renders every file of a template folder through Jinja, which
trips over C++'s `{{`. It is an uncompressed tar with sorted names and without times and owners, so
the same sources always give the same bytes, whatever machine packs them (and Docker's cache holds).
Its name ends in `.patch`, one of the few endings that every Tutor release copies byte for
byte; Docker's ADD recognises a tar by its content.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any, Iterator

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ARCHIVE = "tutorbackup/templates/backup/build/backup/engine.tar.patch"
FILES = ("CMakeLists.txt", "CMakePresets.json", "LICENSE", "packaging/copyright")
FOLDERS = ("cmake", "src")
SUFFIXES = (".cc", ".cmake", ".h", ".in")


def engine_sources(root: Path) -> Iterator[str]:
    """The files that the image is built from, sorted; no tests, since the image runs none."""
    names = list(FILES)
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.suffix in SUFFIXES and not path.stem.endswith(("_test", "_testing")):
                names.append(path.relative_to(root).as_posix())
    yield from sorted(names)


def pack(root: Path, archive: Path) -> None:
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in engine_sources(root):
            member = tarfile.TarInfo(name)
            member.size = (root / name).stat().st_size
            member.mode = 0o644
            with open(root / name, "rb") as content:
                tar.addfile(member, content)


class EngineSourcesHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        pack(Path(self.root), Path(self.root) / ARCHIVE)
