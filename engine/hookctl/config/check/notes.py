"""Collects the findings of one webhook, each at its place in the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from hookctl.json.paths import field_text
from hookctl.model import Finding, Json, Pointer, Severity, Span, Webhook, brief


class Notes:
    """The findings of one webhook. Says nothing about places that could not be read: ``load`` has said it."""

    __slots__ = ("_places", "_unread", "findings", "webhook")

    def __init__(self, webhook: Webhook) -> None:
        self.webhook = webhook
        self.findings: list[Finding] = []
        self._places: set[Pointer] = set()
        self._unread = frozenset(webhook.unread)

    def add(
        self,
        rule: str,
        message: str,
        hint: str,
        pointer: Pointer,
        *,
        part: tuple[int, int] | None = None,
        at_key: bool = False,
        suggestions: Sequence[str] = (),
        severity: Severity = Severity.ERROR,
    ) -> None:
        """One finding about the value at ``pointer``: about its key, or about a part of its text (offsets, end exclusive), where that is said."""
        if self._unread and any(pointer[:length] in self._unread for length in range(len(pointer) + 1)):
            return
        self._places.add(pointer)
        self.findings.append(
            Finding(
                rule=rule,
                severity=severity,
                message=message,
                hint=hint,
                file=self.webhook.file,
                span=self._span(pointer, part, at_key=at_key),
                suggestions=tuple(suggestions),
                webhook=self.webhook.name,
            )
        )

    def has(self, pointer: Pointer) -> bool:
        """True when there is a finding about exactly this place: what follows from it is no news."""
        return pointer in self._places

    def _span(self, pointer: Pointer, part: tuple[int, int] | None, *, at_key: bool) -> Span:
        positions = self.webhook.positions
        if part is not None:
            return positions.within(pointer, *part)
        return positions.key(pointer) if at_key else positions.value(pointer)


def shown(value: Json) -> str:
    """A value as a message repeats it: JSON, cut where it is long."""
    return brief(json.dumps(value, ensure_ascii=False))


def listed(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *most, last = [*words] or ["nothing"]
    return f"{', '.join(most)} or {last}" if most else last


def place_name(pointer: Pointer) -> str:
    """A place as a message names it: ``auth[0].scopes``."""
    return brief(field_text(pointer))
