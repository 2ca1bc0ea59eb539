"""Secret references: where they must stand, where they may, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hookctl.config.check.notes import Notes, listed
from hookctl.model import Json, Pointer, brief
from hookctl.model.nearest import nearest
from hookctl.model.secret import REFERENCE, RESOLVED, has_reference
from hookctl.plugin import SecretSource

_SHOWN = 20
"""Findings about references in one text: more of them are one mistake, made again and again."""
_ATTEMPT = re.compile(r"\$\{[^}\s]*\}?")


def check_references(notes: Notes, sources: Mapping[str, SecretSource], failed_hint: str = "") -> None:
    """Note references that no source resolves, and those in fields that are taken as they are written.

    ``failed_hint`` follows the hint about an unknown scheme: see :attr:`hookctl.plugin.calls.Plugins.failed_hint`.
    """
    _check_values(notes, (), notes.webhook.fields.items(), sources, failed_hint)


def check_secret(notes: Notes, pointer: Pointer, value: Json) -> None:
    """Note a secret that is written out: the look at what a schema marks with ``x-secret``."""
    if isinstance(value, str) and not has_reference(value) and "${" not in value and not notes.has(pointer):
        notes.add(
            "secret-literal",
            "a secret is written out in the file",
            "Write where it comes from, such as ${env:NAME} or ${file:/run/secrets/name}, and change the secret: it has been seen.",
            pointer,
        )


def _check_values(
    notes: Notes,
    pointer: Pointer,
    values: Iterable[tuple[str | int, Json]],
    sources: Mapping[str, SecretSource],
    failed_hint: str,
) -> None:
    for part, value in values:
        if isinstance(value, str):
            if "${" in value:
                _check_text(notes, (*pointer, part), value, sources, failed_hint)
        elif isinstance(value, dict):
            _check_values(notes, (*pointer, part), value.items(), sources, failed_hint)
        elif isinstance(value, list):
            _check_values(notes, (*pointer, part), enumerate(value), sources, failed_hint)


def _check_text(
    notes: Notes, pointer: Pointer, text: str, sources: Mapping[str, SecretSource], failed_hint: str
) -> None:
    before = len(notes.findings)
    for match in _ATTEMPT.finditer(text):
        if len(notes.findings) - before >= _SHOWN:
            return
        reference = REFERENCE.match(text, match.start())
        known = reference is not None and reference[1] in sources
        if pointer[0] not in RESOLVED:
            if known:  # any other ${...} is text that the target may want so
                message = f"the reference {brief(match[0])} is not resolved in `{pointer[0]}`"
                notes.add(
                    "secret-misplaced",
                    message,
                    "Put secrets into `auth` or `headers`; here the text would be sent as it is written.",
                    pointer,
                    part=match.span(),
                )
        elif reference is None:
            if pointer[0] != "url":  # there the URL rules refuse the brace
                hint = f"Write ${{scheme:key}} with one of the schemes {listed(sources)}."
                notes.add(
                    "secret-malformed",
                    f"{brief(match[0])} is no secret reference",
                    hint,
                    pointer,
                    part=match.span(),
                    suggestions=_repaired(match[0]),
                )
        elif not known:
            hint = f"Write one of the schemes {listed(sources)}, or install the plugin that adds this one.{failed_hint}"
            start, end = reference.span(1)
            message = f"no secret source has the scheme `{brief(reference[1])}`"
            notes.add(
                "unknown-secret-scheme",
                message,
                hint,
                pointer,
                part=(start, end),
                suggestions=nearest(reference[1], sources),
            )


def _repaired(attempt: str) -> tuple[str, ...]:
    name = attempt.strip("${}")
    return (f"${{env:{name}}}",) if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else ()
