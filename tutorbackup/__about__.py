"""The version, which plugin and engine share: the distribution takes it from CMakeLists.txt."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("tutor-contrib-backup")
