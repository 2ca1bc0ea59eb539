"""Finds out whether a third-party plugin may be installed, without the cost of importlib.metadata."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

GROUP = "hookctl"
"""The entry-point group of plugins."""


def any_third_party() -> bool:
    """True if an installed distribution may have entry points in hookctl's group. It is never wrongly False.

    ``importlib.metadata`` takes longer to import than a light command takes to run, and most machines have no
    third-party plugin. So this function only searches the files of entry points for the group's heading.
    """
    header = f"[{GROUP}]".encode()
    for entry in sys.path:
        directory = Path(entry or ".")
        if directory.is_file():
            return True  # only importlib.metadata can read a zip file
        for found in directory.glob("*-[Ii][Nn][Ff][Oo]/entry_points.txt"):
            with suppress(OSError):  # importlib.metadata also skips files that cannot be read
                if header in found.read_bytes():
                    return True
    return False
