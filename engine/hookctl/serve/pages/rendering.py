"""Turns templates into pages. Every value is escaped, so that data from events and responses is only ever text."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from hookctl.config.load.revision import DIRTY
from hookctl.model.quantities import span
from hookctl.report.text.moments import iso, shown
from hookctl.report.text.plan import SHORT_COMMIT
from hookctl.report.text.printable import printable, printable_lines
from hookctl.serve.access import Scope, csrf_field
from hookctl.serve.pages.static import url_of

if TYPE_CHECKING:
    from starlette.requests import Request

TEMPLATES = Path(__file__).parent / "templates"
HEADERS = {"Cache-Control": "no-store"}
"""Pages show events. No cache keeps them."""


def render(request: Request, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page of a template in ``templates/``, which extends ``base.html``.

    Args:
        request: templates find it as ``request``, and who asks as ``identity``, which is None before the sign-in;
            ``may_operate`` is whether to offer them actions.
        name: the file of the template.
        status: the HTTP status of the answer.
        values: what the template names.
    """
    template = environment().get_template(name)
    identity = getattr(request.state, "identity", None)
    may_operate = identity is not None and identity.may(Scope.OPERATE)
    page = template.render(request=request, identity=identity, may_operate=may_operate, now=time.time(), **values)
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
    made.filters |= {
        "code": code,
        "commit": commit_text,
        "count": count,
        "duration": duration,
        "iso": iso,
        "printable": printable,
        "printable_lines": printable_lines,
        "share": share,
        "span": span,
        "utc": shown,
    }
    return made


def code(text: str) -> Markup:
    """A text with what is between backticks as code, as messages and hints name commands and fields."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def commit_text(commit: str) -> str:
    """The id of a commit, shortened, and whether the files differed from it."""
    clean = commit.removesuffix(DIRTY)
    return printable(clean[:SHORT_COMMIT]) + (" with changes" if clean != commit else "")


def count(number: int) -> str:
    """A number with commas: ``12,345``."""
    return f"{number:,}"


def duration(seconds: float) -> str:
    """How long an attempt took: ``85 ms``, ``1.2 s``."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s" if seconds < 60 else span(seconds)


def share(value: float) -> str:
    """A share as a percentage that is 100 or 0 only if it is exactly that."""
    percent = value * 100
    return f"{percent:.0f}%" if percent in (0, 100) else f"{min(max(percent, 0.1), 99.9):.1f}%"
