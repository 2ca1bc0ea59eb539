"""Workers of hookctl and of other queues on PostgreSQL; ``--help`` lists the options."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # the modules are scale.* and delivery.*
    import_module("scale.main").main()
