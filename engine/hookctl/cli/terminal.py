"""How wide the output may be."""

from __future__ import annotations

import os
import shutil
import sys


def text_width() -> int:
    """Columns that tables and running text may take: ``COLUMNS`` where it is set, else those of the terminal.

    0, which means unlimited, where standard output is not a terminal.
    """
    is_set = os.environ.get("COLUMNS", "").isdecimal()
    return shutil.get_terminal_size().columns if is_set or sys.stdout.isatty() else 0
