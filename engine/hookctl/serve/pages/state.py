"""What pages keep in memory between requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl.serve.pages.catalog import Catalog, Rankings
from hookctl.serve.pages.tests_now import Tests
from hookctl.serve.pages.webhook_files import WebhookFiles

if TYPE_CHECKING:
    from starlette.requests import Request

    from hookctl.serve.context import Context


@dataclass(frozen=True, slots=True)
class Pages:
    """Made once for a server, when it is first asked for a page."""

    catalog: Catalog
    rankings: Rankings
    files: WebhookFiles
    tests: Tests


def pages_of(request: Request) -> Pages:
    """The state of the server that got a request. Called only on the event loop."""
    state = request.app.state
    if not hasattr(state, "pages"):
        context: Context = state.context
        state.pages = Pages(
            Catalog(), Rankings(), WebhookFiles(context.directory), Tests(context.plugins, context.network)
        )
    pages: Pages = state.pages
    return pages
