"""What checking files came to, kept on disk by their content: a shortcut that may be deleted at any time."""

from hookctl.cache.fingerprint import fingerprint
from hookctl.cache.outlines import Outlines
from hookctl.cache.results import Cache, Result

__all__ = ["Cache", "Outlines", "Result", "fingerprint"]
