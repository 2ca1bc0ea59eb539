"""How values are written in bodies that are not JSON, by the form of their position."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from hookctl.errors import SecretError
from hookctl.template.proof.xml_tags import NOT_ALLOWED

_CONTROL = re.compile(r"\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What begins a line, moves a column or controls a terminal, for one reader or another."""
_REPLACEMENT = "\ufffd"
_IN_CONTENT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = _IN_CONTENT | str.maketrans({'"': "&quot;", "'": "&apos;", "\t": "&#9;", "\n": "&#10;"})


def one_line(text: str) -> str:
    """The text with a space for each line break and each other control character."""
    return _CONTROL.sub(" ", text)


def xml_content(text: str) -> str:
    """The text of an XML element. A reader gets it back as it is, with U+FFFD for what XML 1.0 does not allow."""
    return NOT_ALLOWED.sub(_REPLACEMENT, text).translate(_IN_CONTENT)


def xml_attribute(text: str) -> str:
    """As :func:`xml_content`, for an attribute's value in quotes of either kind: line breaks and tabs are kept."""
    return NOT_ALLOWED.sub(_REPLACEMENT, text).translate(_IN_ATTRIBUTE)


ESCAPES: Mapping[str, Callable[[str], str]] = {
    "line": one_line,
    "literal": str,
    "content": xml_content,
    "attribute": xml_attribute,
}
"""By the form of a position; the other forms are JSON's."""


def _in_xml(write: Callable[[str], str]) -> Callable[[str], str]:
    """As ``write``, but a secret is never changed: it raises SecretError for one that XML cannot hold."""

    def escape(secret: str) -> str:
        if NOT_ALLOWED.search(secret):
            raise SecretError("a secret in the body contains a character that XML does not allow")
        return write(secret)

    return escape


ESCAPES_OF_SECRETS: Mapping[str, Callable[[str], str]] = {
    "literal": str,
    "content": _in_xml(xml_content),
    "attribute": _in_xml(xml_attribute),
}
"""As :data:`ESCAPES`, for secrets. A secret in a line is sent as it is: no event can change it."""
