"""Deliveries of hookctl and its peers; ``--help`` lists the options. install.sh in this folder installs the peers."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # the modules know one another as delivery.*
    import_module("delivery.main").main()
