"""The guard: which URLs may be written, and which addresses may be dialled."""

from hookctl.network.guard import Network, Target
from hookctl.network.url import check_url

__all__ = ["Network", "Target", "check_url"]
