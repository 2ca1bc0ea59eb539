"""The pages that people see in a browser: rendered on the server, and complete without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hookctl.serve.pages import sign_in, static

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

ROUTES: Sequence[BaseRoute] = (*static.ROUTES, *sign_in.ROUTES)
