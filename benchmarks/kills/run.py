"""Kills hookctl and its peers while they deliver; ``--help`` lists the options. delivery/install.sh installs them."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # the modules know one another as kills.* and delivery.*
    import_module("kills.main").main()
