"""What checking files came to, kept on disk by their content: a shortcut that may be deleted at any time."""

from hookctl.config.cache.fingerprint import fingerprint
from hookctl.config.cache.results import Cache, Result

__all__ = ["Cache", "Result", "fingerprint"]
