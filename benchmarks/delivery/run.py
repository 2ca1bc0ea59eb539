"""Deliveries beside peers: ``python benchmarks/delivery/run.py --help``. What it needs is installed by install.sh beside it."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # the modules know one another as delivery.*
    import_module("delivery.main").main()
