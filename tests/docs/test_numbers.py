"""The numbers on the pages are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookctl.config.load import files, revision
from hookctl.delivery import outcomes
from hookctl.delivery.events import intake
from hookctl.delivery.runner import circuit, claims, limits
from hookctl.model import MAX_RESPONSE_BYTES, FailureKind
from hookctl.model.delivery_plan import JITTER
from hookctl.plugin import calls, given
from hookctl.template.language import values

DOCS = Path(__file__).parents[2] / "docs"
MIB = 1024 * 1024
NUMBERS = {
    "delivery.md": [
        f"up to {JITTER:.0%}".replace("%", " %"),
        {3600.0: "no longer than one hour"}[outcomes.MAX_RETRY_AFTER],
        f"at least {circuit.MINIMUM} requests",
        f"the last {circuit.WINDOW_SECONDS:.0f} to {2 * circuit.WINDOW_SECONDS:.0f} seconds",
        {0.5: "half of them or more count as failures"}[circuit.FAILURE_SHARE],
        f"nothing is sent for {circuit.OPEN_SECONDS:.0f} seconds",
        f"at most {circuit.MAX_OPEN_SECONDS / 60:.0f} minutes",
        f"from each process | {limits.MAX_IN_FLIGHT_EACH} |",
        f"| {limits.SHARED}, or {limits.SHARED_EACH} for each active webhook",
        f"| {limits.MAX_IN_FLIGHT:,}, or what",
        {0.25: "A quarter of all requests in flight is reserved"}[limits.RESERVED],
        f"{MAX_RESPONSE_BYTES // 1024} KiB of body",
        f"| size of an event | {intake.MAX_EVENT_BYTES // MIB} MiB |",
        f"| {intake.MAX_ID_LENGTH} characters |",
        f"| {intake.MAX_ARRAY_BYTES // MIB} MiB; JSON lines",
        f"| size of a rendered body | {values.MAX_OUTPUT // MIB} MiB |",
    ],
    "plugin-reference.md": [
        f"| descriptions from one hook | {calls.MAX_THINGS:,} |",
        f"from one call | {given.MAX_GIVEN:,} |",
        f"| {given.MAX_VALUES:,} |",
        f"| nesting of a JSON value | {given.MAX_DEPTH} |",
    ],
    "reliability.md": [f"the lease of {claims.LEASE_SECONDS:.0f} seconds"],
    "settings.md": [
        f"| one webhook file | {files.MAX_BYTES // MIB} MiB |",
        f"| {files.MAX_FILES:,} files, {files.MAX_TOTAL_BYTES // MIB} MiB in all, {files.MAX_DEPTH} levels",
        f"| the list of files of a git revision | {revision.MAX_LISTED // MIB} MiB |",
    ],
}


@pytest.mark.parametrize("page", NUMBERS)
def test_numbers_are_those_of_the_code(page: str) -> None:
    text = " ".join((DOCS / page).read_text(encoding="utf-8").split())
    assert [number for number in NUMBERS[page] if number not in text] == []


def test_every_kind_of_failure_is_explained() -> None:
    section = (DOCS / "test.md").read_text(encoding="utf-8").partition("### Kinds of failure")[2].partition("###")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [kind.value for kind in FailureKind]
