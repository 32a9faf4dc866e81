"""Packs a folder as the predecessor did: Python's tarfile, "w:xz", one core.

usage: predecessor_tar.py ARCHIVE FOLDER
"""

import sys
import tarfile

with tarfile.open(sys.argv[1], "w:xz") as archive:
    archive.add(sys.argv[2], arcname="data")
