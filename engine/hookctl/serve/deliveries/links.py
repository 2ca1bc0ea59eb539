"""The addresses of pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

DELIVERIES = "/deliveries"
UNDELIVERED = "/undelivered"


def delivery(delivery_id: str) -> str:
    """The page of a delivery."""
    return f"{DELIVERIES}/{quote(delivery_id, safe='')}"


def event(event_id: str) -> str:
    """The page of an event. Its id may contain any character."""
    return f"/events/{quote(event_id.encode('utf-8', 'surrogatepass'), safe='')}"


def webhook(name: str) -> str:
    """The page of a webhook."""
    return f"/webhooks/{quote(name, safe='')}"


def filtered(**filters: str) -> str:
    """The deliveries with these filters, such as ``event_id``; without those that are empty."""
    return _with(DELIVERIES, {name.replace("_", "-"): text for name, text in filters.items() if text})


def action(name: str, **filters: str | Sequence[str]) -> str:
    """The page on which an action on deliveries is confirmed; ``filters`` as above, or ``id``."""
    return _with(f"/actions/{name}", {key.replace("_", "-"): value for key, value in filters.items() if value})


def _with(path: str, parameters: Mapping[str, str | Sequence[str]]) -> str:
    return f"{path}?{urlencode(parameters, doseq=True)}" if parameters else path
