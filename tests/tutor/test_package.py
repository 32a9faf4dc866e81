"""The distribution: one version, and sources that are always the same bytes."""

from __future__ import annotations

import importlib.util
import io
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

import tutorbackup.plugin
from tutorbackup.__about__ import __version__

REPOSITORY = Path(__file__).resolve().parents[2]
ARCHIVE = (
    Path(tutorbackup.plugin.HERE) / "templates" / "backup" / "build" / "backup" / "engine.tar.patch"
)


def test_plugin_engine_and_changelog_have_one_version() -> None:
    cmake = re.search(
        r"project\(openedx-backup VERSION ([0-9.]+)", (REPOSITORY / "CMakeLists.txt").read_text()
    )
    changelog = re.search(r"^## ([0-9.]+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert cmake and changelog
    assert cmake.group(1) == changelog.group(1) == __version__


@pytest.fixture()
def packing() -> Any:
    pytest.importorskip("hatchling", reason="the build tool of the extra dev is not installed")
    spec = importlib.util.spec_from_file_location("hatch_build", REPOSITORY / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_packing_twice_gives_the_same_bytes(packing: Any, tmp_path: Path) -> None:
    packing.pack(REPOSITORY, tmp_path / "one")
    packing.pack(REPOSITORY, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_packed_sources_are_the_repositorys(packing: Any, tmp_path: Path) -> None:
    packing.pack(REPOSITORY, tmp_path / "now")
    assert ARCHIVE.read_bytes() == (tmp_path / "now").read_bytes(), "the installed wheel is old"


def test_all_that_cmake_needs_is_in_them() -> None:
    with tarfile.open(fileobj=io.BytesIO(ARCHIVE.read_bytes())) as tar:
        members = tar.getmembers()
    names = {member.name for member in members}
    assert {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "src/cli/main.cc"} <= names
    included = re.findall(r"include\((cmake/[A-Za-z]+)\.|include\((cmake/\S+\.cmake)\)",
                          (REPOSITORY / "CMakeLists.txt").read_text())  # fmt: skip
    for pair in included:
        assert any(name.startswith(pair[0] or pair[1]) for name in names)
    assert not any(re.search("_(test|testing)[.]", name) for name in names)
    assert all(member.mtime == 0 and member.uid == 0 and not member.uname for member in members)
