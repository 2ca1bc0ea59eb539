"""Whether a distribution with our entry points may be installed, without the cost of importlib.metadata."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

GROUP = "hookctl"
"""The entry-point group of plugins."""


def any_third_party() -> bool:
    """True when an installed distribution may have entry points in our group; never wrongly False.

    ``importlib.metadata`` takes longer to import than a light command takes to run, and most machines have no
    third-party plugin: this looks for the group's heading in the files that hold entry points, and nothing more.
    """
    header = f"[{GROUP}]".encode()
    for entry in sys.path:
        directory = Path(entry or ".")
        if directory.is_file():
            return True  # a zip: only importlib.metadata can look inside
        for found in directory.glob("*-[Ii][Nn][Ff][Oo]/entry_points.txt"):
            with suppress(OSError):  # what cannot be read, importlib.metadata passes over too
                if header in found.read_bytes():
                    return True
    return False
