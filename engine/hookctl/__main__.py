"""``python -m hookctl``."""

from hookctl.cli.main import main

main()
