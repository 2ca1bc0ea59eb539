"""Filters that write text for another notation: HTML, Slack's, Markdown, URLs and Base64."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hookctl.errors import RenderError
from hookctl.model import Json
from hookctl.template.language.functions.declaration import (
    TEXT,
    BuiltIn,
    Filters,
    check_size,
    too_large,
    types,
)
from hookctl.template.language.values import MAX_OUTPUT, to_text

_SCALAR = types("string", "number", "boolean")
_HTML: dict[str, str] = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;"}
"""As ``markupsafe.escape``, which Jinja uses."""
_SLACK: dict[str, str] = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
"""Every control sequence of Slack's mrkdwn, such as ``<!channel>`` or ``<https://...|...>``, begins with ``<``."""
_MARKDOWN: dict[str, str] = {mark: f"\\{mark}" for mark in "\\`*_{}[]()<>#+-=.!|~&:$@"}
_TRANSLATIONS = {
    name: str.maketrans(table)
    for name, table in {"html": _HTML, "slack_escape": _SLACK, "markdown_escape": _MARKDOWN}.items()
}
_GROWTH = 5
"""No character becomes more than five."""
_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"


def _escaped(name: str, text: str, table: Mapping[str, str]) -> str:
    """The text with each character of the table replaced. Raises RenderError when that would be too large."""
    if len(text) * _GROWTH > MAX_OUTPUT:
        check_size(name, len(text) + sum(text.count(mark) * (len(written) - 1) for mark, written in table.items()))
    return text.translate(_TRANSLATIONS[name])


def _html(value: Json) -> Json:
    return _escaped("html", to_text(value), _HTML)


def _slack_escape(value: Json) -> Json:
    return _escaped("slack_escape", to_text(value), _SLACK)


def _markdown_escape(value: Json) -> Json:
    return _escaped("markdown_escape", to_text(value), _MARKDOWN)


def _striptags(value: str) -> Json:
    import html

    text = " ".join("".join(_between_tags(value)).split())
    try:
        return html.unescape(text)
    except ValueError:  # a numeric reference with more digits than Python reads
        message = "striptags cannot read a character reference"
        raise RenderError(message, hint="The event's publisher must send valid HTML.") from None


def _between_tags(text: str) -> Iterator[str]:
    """The text outside of tags and comments. Of a tag that is not closed, and after it, everything is text."""
    position = 0
    while (start := text.find("<", position)) != -1:
        closing = "-->" if text.startswith("<!--", start) else ">"
        end = text.find(closing, start + 4 if closing == "-->" else start)
        if end == -1:
            break
        yield text[position:start]
        position = end + len(closing)
    yield text[position:]


def _encoded(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        message = f"{name} cannot encode half a surrogate pair"
        raise RenderError(message, hint="The event's publisher must send valid Unicode.") from None


def _urlencode(value: Json) -> Json:
    from urllib.parse import quote_from_bytes

    if isinstance(value, dict):
        return _query(list(value.items()))
    if isinstance(value, list):
        return _query([_pair(item) for item in value])
    encoded = _encoded(to_text(value), "urlencode")
    check_size("urlencode", _quoted_size(encoded, b"/"))
    return quote_from_bytes(encoded, "/")


def _pair(item: Json) -> tuple[Json, Json]:
    if not isinstance(item, list) or len(item) != 2:
        message = "urlencode takes a list only if each item is a list of a name and a value"
        raise RenderError(message, hint="Use `join` first to encode the items as one text.")
    return item[0], item[1]


def _query(pairs: list[tuple[Json, Json]]) -> str:
    from urllib.parse import quote_from_bytes

    room = MAX_OUTPUT
    parts = []
    for pair in pairs:
        encoded = [_encoded(to_text(part), "urlencode") for part in pair]
        room -= sum(_quoted_size(part, b" ") for part in encoded) + 2
        if room < -1:  # the last pair has no `&` after it
            raise too_large("urlencode")
        parts.append("=".join(quote_from_bytes(part, "").replace("%20", "+") for part in encoded))
    return "&".join(parts)


def _quoted_size(encoded: bytes, single: bytes) -> int:
    """Characters of the percent-encoded bytes; those in ``single`` become one character."""
    return len(encoded) + 2 * len(encoded.translate(None, _UNRESERVED + single))


def _b64encode(value: str) -> Json:
    import base64

    encoded = _encoded(value, "b64encode")
    check_size("b64encode", (len(encoded) + 2) // 3 * 4)
    return base64.b64encode(encoded).decode("ascii")


_HTML_FILTER = BuiltIn(_html, takes=_SCALAR, gives=TEXT)
FILTERS: Filters = {
    "b64encode": BuiltIn(_b64encode, takes=TEXT, gives=TEXT),
    "e": _HTML_FILTER,
    "escape": _HTML_FILTER,
    "forceescape": _HTML_FILTER,
    "html": _HTML_FILTER,
    "markdown_escape": BuiltIn(_markdown_escape, takes=_SCALAR, gives=TEXT),
    "slack_escape": BuiltIn(_slack_escape, takes=_SCALAR, gives=TEXT),
    "striptags": BuiltIn(_striptags, takes=TEXT, gives=TEXT, slowness=7),
    "urlencode": BuiltIn(
        _urlencode, takes=types("string", "number", "boolean", "array", "object"), gives=TEXT, slowness=5
    ),
}
