"""Ignores the warnings that comments in the file name, and reports comments that ignore nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hookctl.config.check.catalog import IGNORABLE, RULES
from hookctl.model import Finding, Ignore, Severity, SourceFile, Span, brief, has_errors
from hookctl.model.nearest import nearest
from hookctl.model.rules.ignores import (
    IGNORE_ERROR,
    IGNORE_SYNTAX,
    IGNORE_UNKNOWN_RULE,
    IGNORE_UNUSED,
    IGNORE_WITHOUT_REASON,
)

MAX_IDS = 100
"""Ids of all comments in one webhook: each costs a search."""
_LONGEST_ID = max(map(len, RULES)) + 10
"""Ids that are longer resemble none."""


def apply_ignores(
    ignores: Sequence[Ignore],
    findings: Sequence[Finding],
    file: SourceFile,
    *,
    webhook: str = "",
    is_partial: bool = False,
) -> list[Finding]:
    """The findings after the comments of a file: warnings that they ignore have ``ignored`` set.

    Findings about the comments themselves come last. They cannot be ignored.

    Args:
        ignores: the comments.
        findings: about anything; comments cover only what is in their own file.
        file: the file of the comments.
        webhook: the webhook of the comments; empty for a file that is not about one.
        is_partial: not everything was checked, so a comment may ignore what is not found yet.
    """
    found = [*findings]
    unused: list[Finding] = []
    lines = _Warnings(found, file.path)
    for ignore, rule, span in _ids(ignores):
        if not ignore.reason or rule not in IGNORABLE:
            continue
        numbers = lines.covered(rule, ignore)
        if not numbers:
            unused.append(IGNORE_UNUSED.finding(span=span, rule=rule))
        for number in numbers:
            found[number] = replace(found[number], ignored=found[number].ignored or ignore.reason)
    if has_errors(findings) or is_partial:
        unused = []  # not everything was checked
    own = [replace(one, file=file, webhook=webhook) for one in (*_wrong(ignores), *unused)]
    return [*found, *own]


class _Warnings:
    """Finds the warnings on lines: by rule, sorted by line."""

    def __init__(self, findings: Sequence[Finding], path: str) -> None:
        """``path`` is the file of the comments; what is in another one, because it is a default, they do not cover."""
        self._by_rule: dict[str, list[tuple[int, int]]] = {}
        for number, finding in enumerate(findings):
            if finding.severity is Severity.WARNING and finding.span and finding.path == path:
                self._by_rule.setdefault(finding.rule, []).append((finding.span.line, number))
        for places in self._by_rule.values():
            places.sort()

    def covered(self, rule: str, ignore: Ignore) -> list[int]:
        """The numbers of the warnings of a rule that a comment covers."""
        places = self._by_rule.get(rule, [])
        first = bisect_left(places, ignore.first, key=lambda place: place[0])
        last = bisect_right(places, ignore.last, key=lambda place: place[0])
        return [number for _, number in places[first:last]]


def _ids(ignores: Sequence[Ignore]) -> Iterator[tuple[Ignore, str, Span]]:
    ids = [(ignore, rule, span) for ignore in ignores for rule, span in ignore.rules]
    yield from ids[:MAX_IDS]


def _wrong(ignores: Sequence[Ignore]) -> Iterator[Finding]:
    for ignore in ignores[:MAX_IDS]:
        if not ignore.rules:
            yield IGNORE_SYNTAX.finding(span=ignore.span)
        elif not ignore.reason:
            yield IGNORE_WITHOUT_REASON.finding(span=ignore.span)
    for _, rule, span in _ids(ignores):
        if rule in IGNORABLE:
            continue
        if rule not in RULES:
            near = nearest(rule, IGNORABLE) if len(rule) <= _LONGEST_ID else ()
            yield IGNORE_UNKNOWN_RULE.finding(span=span, suggestions=near, rule=brief(rule))
        elif RULES[rule].severity is Severity.WARNING:
            yield IGNORE_ERROR.finding("plan", span=span, rule=rule)
        else:
            yield IGNORE_ERROR.finding(span=span, rule=rule)
    spans = [span for ignore in ignores for _, span in ignore.rules or [("", ignore.span)]]
    if len(spans) > MAX_IDS:
        yield IGNORE_SYNTAX.finding("many", span=spans[MAX_IDS], limit=MAX_IDS)
