"""What every request handler may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hookctl.network import Network

if TYPE_CHECKING:
    from pathlib import Path

    from hookctl.plugin.calls import Plugins
    from hookctl.serve.access import Access
    from hookctl.serve.intake import Intake
    from hookctl.serve.operations import Operations
    from hookctl.serve.stores import Stores
    from hookctl.serve.writer import EventWriter


@dataclass(frozen=True, slots=True)
class Context:
    """Made once by ``hookctl serve``. Handlers find it in ``request.app.state.context``."""

    plugins: Plugins
    stores: Stores
    """For handlers that read or change deliveries; never used on the event loop, since a store blocks."""
    writer: EventWriter
    directory: Path
    """The directory of the webhook files, which pages name and never change."""
    access: Access
    """Decides who may do what."""
    intake: Intake
    """Takes in events, and counts them."""
    operations: Operations
    """Metrics and readiness."""
    network: Network = field(default_factory=Network)
    """How this machine reaches the targets of tests."""
