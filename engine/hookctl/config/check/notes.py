"""Collects the findings about one webhook, each with its place in the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from hookctl.json.paths import field_text
from hookctl.model import Finding, Json, Pointer, Problem, SourceFile, Span, Webhook, brief
from hookctl.model.rules.rule import Rule


class Notes:
    """The findings about one webhook. Ignores places that could not be read, because ``load`` has reported them."""

    __slots__ = ("_places", "_unread", "findings", "reference_texts", "webhook")

    def __init__(self, webhook: Webhook) -> None:
        self.webhook = webhook
        self.findings: list[Finding] = []
        self.reference_texts = [*_reference_texts((), webhook.fields.items())]
        """The texts that contain the start of a secret reference, with their places: several rules look at them."""
        self._places = dict[Pointer, set[str]]()
        self._unread = frozenset(webhook.unread)

    def add(
        self,
        rule: Rule,
        pointer: Pointer,
        variant: str = "",
        *,
        part: tuple[int, int] | None = None,
        at_key: bool = False,
        suggestions: Sequence[str] = (),
        **fields: object,
    ) -> None:
        """Add a finding of ``rule`` about the value at ``pointer``.

        Args:
            rule: the rule that the value breaks.
            pointer: the place of the value.
            variant: the variant of the rule's message.
            part: the part of the text to point at (offsets, end exclusive) instead of the whole value.
            at_key: point at the key instead of the value.
            suggestions: values that were probably meant.
            fields: values for the placeholders in the message and hint.
        """
        if not self._is_unread(pointer):
            file, span = self._place(pointer, part, at_key=at_key)
            finding = rule.finding(
                variant, span=span, suggestions=suggestions, file=file, webhook=self.webhook.name, **fields
            )
            self._keep(finding, pointer)

    def add_problem(self, problem: Problem, pointer: Pointer) -> None:
        """Add a finding for a problem in the text at ``pointer``."""
        if not self._is_unread(pointer):
            file, span = self._place(pointer, (problem.start, problem.end), at_key=False)
            finding = Finding(
                rule=problem.rule,
                severity=problem.severity,
                message=problem.message,
                hint=problem.hint,
                span=span,
                suggestions=problem.suggestions,
                file=file,
                webhook=self.webhook.name,
            )
            self._keep(finding, pointer)

    def has(self, pointer: Pointer) -> bool:
        """True if exactly this place already has a finding. Further problems there are probably consequences of it."""
        return pointer in self._places

    def rules(self, pointer: Pointer) -> AbstractSet[str]:
        """The IDs of the rules that exactly this place breaks, as far as they have been checked."""
        return self._places.get(pointer, frozenset())

    def _is_unread(self, pointer: Pointer) -> bool:
        return bool(self._unread) and any(pointer[:length] in self._unread for length in range(len(pointer) + 1))

    def _keep(self, finding: Finding, pointer: Pointer) -> None:
        self._places.setdefault(pointer, set()).add(finding.rule)
        self.findings.append(finding)

    def _place(self, pointer: Pointer, part: tuple[int, int] | None, *, at_key: bool) -> tuple[SourceFile, Span]:
        """The file and the place of a value, which may be in a file of defaults."""
        origin = self.webhook.origin(pointer)
        if part is not None:
            return origin.file, origin.positions.within(pointer, *part)
        return origin.file, origin.positions.key(pointer) if at_key else origin.positions.value(pointer)


def shown(value: Json) -> str:
    """A value as a message repeats it: JSON, cut where it is long."""
    return brief(json.dumps(value, ensure_ascii=False))


def listed(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *most, last = [*words] or ["nothing"]
    return f"{', '.join(most)} or {last}" if most else last


def place_name(pointer: Pointer) -> str:
    """A place in the form that messages use, such as ``auth[0].scopes``."""
    return brief(field_text(pointer))


def _reference_texts(pointer: Pointer, values: Iterable[tuple[str | int, Json]]) -> Iterator[tuple[Pointer, str]]:
    """The texts in ``values``, at any depth, that contain the start of a reference, with their places."""
    for part, value in values:
        if isinstance(value, str):
            if "${" in value:
                yield (*pointer, part), value
        elif isinstance(value, dict):
            yield from _reference_texts((*pointer, part), value.items())
        elif isinstance(value, list):
            yield from _reference_texts((*pointer, part), enumerate(value))


def auth_blocks(auth: Json) -> list[tuple[Pointer, dict[str, Json]]]:
    """The place and content of each block of the field ``auth``."""
    if isinstance(auth, dict):
        return [(("auth",), auth)]
    blocks = auth if isinstance(auth, list) else []
    return [(("auth", index), block) for index, block in enumerate(blocks) if isinstance(block, dict)]
