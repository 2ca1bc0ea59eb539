"""The tokens of ``hookctl serve`` as a table and as JSON. Neither contains anything secret."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hookctl.model import Json
from hookctl.model.token import Token
from hookctl.report.text.moments import shown
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import table

HEADINGS = ("NAME", "ID", "STATUS", "SCOPES", "EVENT TYPES", "SIGNATURE", "CREATED", "BY", "LAST USED", "EXPIRES")


def render_tokens(tokens: Sequence[Token], now: float, *, width: int = 0, color: bool) -> str:
    """A row for each token, in the order given. ``width`` is the terminal's, in columns; 0 for unlimited."""
    if not tokens:
        return "No tokens. Create one: hookctl tokens create NAME --scope intake\n"
    rows = [tuple(printable(cell) for cell in _row(token, now)) for token in tokens]
    return "\n".join(table(rows, headings=HEADINGS, width=width, color=color)) + "\n"


def render_tokens_json(tokens: Sequence[Token], now: float) -> str:
    """The tokens as JSON: a list of objects. Times are epoch seconds or null."""
    documents: list[Json] = [
        {
            "id": token.id,
            "name": token.name,
            "status": status(token, now),
            "scopes": _listed(token.scopes),
            "event_types": None if token.event_types is None else _listed(token.event_types),
            "signature": token.signature or None,
            "secrets": _listed(token.secrets),
            "wrap": token.wrap or None,
            "created_at": token.created_at,
            "created_by": token.created_by,
            "expires_at": token.expires_at,
            "last_used_at": token.last_used_at,
            "revoked_at": token.revoked_at,
            "revoked_by": token.revoked_by or None,
        }
        for token in tokens
    ]
    return json_text(documents) + "\n"


def status(token: Token, now: float) -> str:
    """``usable``, ``expired`` or ``revoked``."""
    if token.revoked_at is not None:
        return "revoked"
    return "usable" if token.is_usable(now) else "expired"


def _listed(texts: Iterable[str]) -> list[Json]:
    return [*sorted(map(str, texts))]


def _row(token: Token, now: float) -> tuple[str, ...]:
    types = "all" if token.event_types is None else ", ".join(sorted(token.event_types))
    return (
        token.name,
        token.id,
        status(token, now),
        ", ".join(sorted(token.scopes)),
        types if "intake" in token.scopes else "-",
        token.signature or "-",
        shown(token.created_at),
        token.created_by,
        shown(token.last_used_at) if token.last_used_at is not None else "never",
        shown(token.expires_at) if token.expires_at is not None else "never",
    )
