"""``${var:NAME}`` in a webhook file: replaced by the value of a variable when the file is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hookctl.model import Finding, Json, Origin, Pointer, Positions, Span, Webhook, brief
from hookctl.model.nearest import nearest
from hookctl.model.rules.sharing import UNKNOWN_VARIABLE

START = "${var:"
_USE = re.compile(r"\$\{var:([^{}\s]*)\}")
Shifts = Mapping[Pointer, Sequence[tuple[int, int, int, int]]]
"""For each text, its replaced parts in order: start and end in the text that is checked, then in the one written."""


@dataclass(frozen=True, slots=True)
class _Shifted:
    """Positions of a webhook whose texts have other lengths than in the file."""

    positions: Positions
    shifts: Shifts

    def key(self, pointer: Pointer) -> Span:
        return self.positions.key(pointer)

    def value(self, pointer: Pointer) -> Span:
        return self.positions.value(pointer)

    def within(self, pointer: Pointer, start: int, end: int) -> Span:
        parts = self.shifts.get(pointer, ())
        return self.positions.within(pointer, _written(start, parts, 2), max(_written(end, parts, 3), 0))


def _written(offset: int, parts: Sequence[tuple[int, int, int, int]], edge: int) -> int:
    """The offset in the written text; ``edge`` says which end of a replaced part stands for all of it."""
    moved = 0
    for part in parts:
        start, end, _, before_end = part
        if offset < start or (offset == start and edge == 3):
            break
        if offset < end or (offset == end and edge == 3):
            return part[edge]
        moved = before_end - end
    return offset + moved


def with_variables(webhook: Webhook, variables: Mapping[str, Json]) -> tuple[Webhook, list[Finding]]:
    """The webhook with the values of variables, and a finding for each use of a variable that has none.

    A value that is only a variable gets its type, too: a number or a boolean of ``[vars]`` stays one.
    """
    shifts: dict[Pointer, list[tuple[int, int, int, int]]] = {}
    unknown: list[tuple[Pointer, re.Match[str]]] = []

    def replaced(pointer: Pointer, value: Json) -> Json:
        if isinstance(value, dict):
            return {key: replaced((*pointer, key), inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [replaced((*pointer, number), inner) for number, inner in enumerate(value)]
        return text(pointer, value) if isinstance(value, str) and START in value else value

    def text(pointer: Pointer, written: str) -> Json:
        whole = _USE.fullmatch(written)
        if whole and not isinstance(variables.get(whole[1], ""), str):
            return variables[whole[1]]
        made, end = "", 0
        parts: list[tuple[int, int, int, int]] = []
        for use in _USE.finditer(written):
            made += written[end : use.start()]
            end = use.end()
            if use[1] not in variables:
                unknown.append((pointer, use))
                made += use[0]
                continue
            value = _text(variables[use[1]])
            parts.append((len(made), len(made) + len(value), use.start(), use.end()))
            made += value
        shifts[pointer] = parts
        return made + written[end:]

    fields = {name: replaced((name,), value) for name, value in webhook.fields.items()}
    if not shifts and not unknown and fields == webhook.fields:
        return webhook, []
    findings = [*_unknown(webhook, unknown, variables)]
    origins = {place: Origin(one.file, _Shifted(one.positions, shifts)) for place, one in webhook.origins.items()}
    unread = tuple(dict.fromkeys(pointer for pointer, _ in unknown))
    changed = replace(
        webhook,
        fields=fields,
        positions=_Shifted(webhook.positions, shifts),
        origins=origins,
        unread=(*webhook.unread, *unread),
    )
    return changed, [replace(finding, webhook=changed.name) for finding in findings]


def _unknown(
    webhook: Webhook, uses: Sequence[tuple[Pointer, re.Match[str]]], variables: Mapping[str, Json]
) -> Iterator[Finding]:
    for pointer, use in uses:
        origin = webhook.origin(pointer)
        near = nearest(use[1], variables)
        given = f"--var {use[1] or 'NAME'}=VALUE"
        fix = f"Give it one with {given}, in [vars] of hookctl.toml, or in `vars` of the environment."
        span = origin.positions.within(pointer, *use.span())
        yield UNKNOWN_VARIABLE.finding(file=origin.file, span=span, suggestions=near, name=brief(use[1]), fix=fix)


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
