"""Results of checking files, kept on disk by content. The cache only saves time and may be deleted at any time."""

from hookctl.config.cache.fingerprint import fingerprint
from hookctl.config.cache.results import Cache, Result

__all__ = ["Cache", "Result", "fingerprint"]
