"""Turns templates into pages. Every value is escaped, so that data from events and responses is only ever text."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from hookctl.model.quantities import span
from hookctl.report.text.moments import iso, shown
from hookctl.serve.access import csrf_field
from hookctl.serve.pages.static import url_of

if TYPE_CHECKING:
    from starlette.requests import Request

TEMPLATES = Path(__file__).parent / "templates"
HEADERS = {"Cache-Control": "no-store"}
"""Pages show events. No cache keeps them."""


def render(request: Request, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page of a template in ``templates/``, which extends ``base.html``.

    Args:
        request: templates find it as ``request``, and who asks as ``identity``, which is None before the sign-in.
        name: the file of the template.
        status: the HTTP status of the answer.
        values: what the template names.
    """
    template = environment().get_template(name)
    identity = getattr(request.state, "identity", None)
    page = template.render(request=request, identity=identity, now=time.time(), **values)
    return HTMLResponse(page, status, HEADERS)


@cache
def environment() -> Environment:
    """The templates, compiled when they are first used."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {"asset": url_of, "csrf_field": csrf_field}
    made.filters |= {"utc": shown, "iso": iso, "span": span, "count": count}
    return made


def count(number: int) -> str:
    """A number with commas: ``12,345``."""
    return f"{number:,}"
