"""The guard: which URLs may be written, and which addresses may be dialled."""

from hookctl.network.guard import Network, Target
from hookctl.network.url import UrlProblem, check_url

__all__ = ["Network", "Target", "UrlProblem", "check_url"]
