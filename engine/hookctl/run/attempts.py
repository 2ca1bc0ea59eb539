"""The attempt engine: makes many attempts at once from one thread."""

from __future__ import annotations

from hookctl.run.exchange import Finished, Job

__all__ = ["Finished", "Job"]
