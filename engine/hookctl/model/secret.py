"""Secret references (``${scheme:key}``) and the secrets that they refer to.

A reference travels through plan, state and queue; a secret exists only between its resolution and the request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl.model.source import Json

if TYPE_CHECKING:
    from hookctl.model.delivery_plan import DeliveryPlan

REFERENCE = re.compile(r"\$\{([a-z][a-z0-9_-]*):([^{}\s]+)\}")
REFERENCE_IN_BODY = re.compile(r'\$\{([a-z][a-z0-9_-]*):([^{}\s"\\]+)\}')
"""A reference in a body template: without what would end a JSON string or begin an escape in one."""
_LIKE = re.compile(
    r"\$\{(?:(?P<scheme>[A-Za-z][\w-]*):|(?:process\.)?env\.)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:[:#%=?+/-].*)?\}?",
    re.DOTALL | re.ASCII,
)
MASK = "***"
RESOLVED = frozenset({"url", "headers", "form", "auth", "transport", "body_template"})
"""The fields of a webhook in which references are resolved; in all other fields they are plain text.

In a body template a reference is resolved only in certain places: :mod:`hookctl.template.proof.references`."""


@dataclass(frozen=True, slots=True)
class SecretReference:
    """``${scheme:key}``: where a secret comes from."""

    scheme: str
    key: str

    def __str__(self) -> str:
        return f"${{{self.scheme}:{self.key}}}"


class Secret:
    """A resolved secret. It prints as ``***``; only :meth:`reveal` returns its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the request that needs it."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> str:
        raise TypeError("a secret is never written")


Resolve = Callable[[SecretReference], str]
"""Returns the secret that a reference refers to, or raises :class:`hookctl.errors.SecretError`."""

Resolved = None | bool | int | float | str | Secret | list["Resolved"] | dict[str, "Resolved"]
"""A JSON value in which every string that held a reference has become a :class:`Secret`."""


def references(text: str) -> list[SecretReference]:
    """Every reference in a text, in order."""
    return [SecretReference(*match.groups()) for match in REFERENCE.finditer(text)]


def plan_references(plan: DeliveryPlan) -> set[SecretReference]:
    """The secrets that a delivery of the webhook resolves."""
    document = plan.to_json()
    return {*_references([document.get(field) for field in RESOLVED])}


def _references(value: Json) -> Iterator[SecretReference]:
    """Every secret reference in the texts of a value, at any depth."""
    if isinstance(value, str):
        yield from references(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _references(inner)


def has_reference(text: str) -> bool:
    """True when the text holds at least one reference."""
    return REFERENCE.search(text) is not None


def intended(text: str) -> str:
    """The reference that ``text`` probably means; empty if none: for ``${NAME:-default}`` or ``${ENV:NAME}``, say."""
    match = _LIKE.fullmatch(re.sub(r"\s", "", text))
    if match is None or text.rstrip("}").endswith(":"):
        return ""
    return str(SecretReference((match["scheme"] or "env").lower(), match["name"]))


def mask(text: str) -> str:
    """The text with each reference shown as ``***``."""
    return REFERENCE.sub(MASK, text)


def without_references(text: str) -> str:
    """The text with letters of the same length for each reference, so that offsets stay valid."""
    return REFERENCE.sub(lambda match: "x" * len(match[0]), text)


def put_in(text: str, resolve: Resolve) -> str:
    """The text with the secret in place of each reference. A reference in a secret stays as it is."""
    return REFERENCE.sub(lambda match: resolve(SecretReference(*match.groups())), text)


def reveal(value: Resolved) -> str:
    """The text of a resolved string, secret or not, for the plugin that sends it. Raises TypeError for other values."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, str):
        return value
    raise TypeError(f"a string was expected, not a {type(value).__name__}")


def resolve_text(text: str, resolve: Resolve) -> str | Secret:
    """The text with its references resolved: a :class:`Secret` if there was one, else the text itself."""
    if not has_reference(text):
        return text
    return Secret(put_in(text, resolve))


def resolve_all(value: Json, resolve: Resolve) -> Resolved:
    """``value`` with every string resolved as by :func:`resolve_text`, at any depth."""
    if isinstance(value, str):
        return resolve_text(value, resolve)
    if isinstance(value, list):
        return [resolve_all(item, resolve) for item in value]
    if isinstance(value, dict):
        return {key: resolve_all(item, resolve) for key, item in value.items()}
    return value
