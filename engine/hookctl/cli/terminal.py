"""How wide the output may be."""

from __future__ import annotations

import shutil
import sys


def text_width() -> int:
    """Columns to wrap running text to: those of the terminal; 0, for no wrapping, where standard output is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
