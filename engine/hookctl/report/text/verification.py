"""Whether a received request verifies and what differs, for people and as JSON. Shows no secret and no signature."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from hookctl.model import Json
from hookctl.model.quantities import counted
from hookctl.report.style import heading, styled
from hookctl.report.text.printable import json_text, printable
from hookctl.signatures.diagnosis import Diagnosis
from hookctl.signatures.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Checked:
    """What was verified, and how."""

    scheme: str
    recipe: Recipe
    body: bytes


def verification_text(checked: Checked, found: Diagnosis, *, color: bool) -> str:
    """For people: the verdict, what was checked, and each difference with what to change."""
    sign = styled("✓", color, fg="green") if found.verified else styled("✗", color, fg="red")
    lines = [f"{sign} {heading(_verdict(found), color)}", *_checked(checked)]
    if found.differences:
        lines += ["", f"  {heading(_title(found), color)}", *_differences(found)]
    if not found.explained:
        lines += ["", *(f"  {line}" for line in _unexplained(found))]
    if found.notes:
        lines += ["", *(f"  Note: {printable(note)}" for note in found.notes)]
    return "\n".join(lines) + "\n"


def verification_json(checked: Checked, found: Diagnosis) -> str:
    """As JSON.

    The keys are ``verified``, ``signature`` (``matches``, ``matches_with_differences`` or ``no_match``), ``scheme``,
    ``header``, ``body`` (``bytes``, ``sha256``), ``signatures`` (their number), ``age_seconds``, ``differences``
    (``part``, ``what``, ``fix``), ``notes`` and ``tried``.
    """
    signature = "matches" if found.is_signed else "matches_with_differences" if found.explained else "no_match"
    document: dict[str, Json] = {
        "verified": found.verified,
        "signature": signature,
        "scheme": checked.scheme,
        "header": checked.recipe.header,
        "body": {"bytes": len(checked.body), "sha256": hashlib.sha256(checked.body).hexdigest()},
        "signatures": found.signatures,
        "age_seconds": None if found.age is None else round(found.age, 3),
        "differences": [asdict(difference) for difference in found.differences],
        "notes": [*found.notes],
        "tried": found.tried,
    }
    return json_text(document) + "\n"


def _verdict(found: Diagnosis) -> str:
    if found.verified:
        return "The signature is valid."
    if found.is_signed:
        return "The signature matches, but receivers reject the request."
    return "The signature is not valid."


def _checked(checked: Checked) -> Iterator[str]:
    yield f"  Checked: {printable(checked.recipe.header)} by {printable(checked.scheme)}"
    yield f"  Body: {counted(len(checked.body), 'byte')}, SHA-256 {hashlib.sha256(checked.body).hexdigest()}"


def _title(found: Diagnosis) -> str:
    if found.is_signed or not found.explained:
        return "What is wrong"
    return "It matches with these differences"


def _differences(found: Diagnosis) -> Iterator[str]:
    for difference in found.differences:
        yield f"  - {difference.part}: {printable(difference.what)}"
        yield f"    {printable(difference.fix)}"


def _unexplained(found: Diagnosis) -> Iterator[str]:
    if not found.tried:
        yield "There is no signature to compare."
        return
    yield f"No signature matches, with none of {counted(found.tried, 'variant')} of key, body, URL and content."
    yield "Most likely the sender signs with another secret: compare where each side takes it from."
    yield "If the secret is right, the body was changed: record its bytes before any code parses them."
