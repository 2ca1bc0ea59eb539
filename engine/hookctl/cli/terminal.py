"""How wide the output may be."""

from __future__ import annotations

import os
import sys


def text_width(*, err: bool = False) -> int:
    """Columns that tables and running text may take: ``COLUMNS`` where it is set, else those of the terminal.

    0, which means unlimited, where standard output, or with ``err`` standard error, is not a terminal.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    stream = sys.stderr if err else sys.stdout
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except OSError:  # a terminal that does not know its size
        return 0
