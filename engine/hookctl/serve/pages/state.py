"""What pages keep in memory between requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl.serve.pages.catalog import Catalog
from hookctl.serve.pages.tests_now import Tests
from hookctl.serve.pages.webhook_files import WebhookFiles

if TYPE_CHECKING:
    from hookctl.serve.context import Context


@dataclass(frozen=True, slots=True)
class Pages:
    """Made once by the application. Endpoints find it in ``request.app.state.pages``."""

    catalog: Catalog
    files: WebhookFiles
    tests: Tests


def make_pages(context: Context) -> Pages:
    """The state of a server that has answered nothing yet."""
    return Pages(Catalog(), WebhookFiles(context.directory), Tests(context.plugins, context.network))
