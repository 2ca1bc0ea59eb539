"""Each test of the contract of validators fails for a validator with the mistake that it is there to find."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from hookctl.errors import TemplateError
from hookctl.kit.contracts import ValidatorContract
from hookctl.kit.contracts.part import ConfiguredContract
from hookctl.model import Mismatch
from hookctl.plugin import Envelope, ValidatorType

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["field"],
    "additionalProperties": False,
    "properties": {"field": {"type": "string", "description": "The field that must be there."}},
}
GOOD, BAD = Envelope(200, {}, {"receipt": 1}), Envelope(200, {}, {"error": 1})
GIVEN: dict[str, Any] = {
    "settings": {"field": "receipt"},
    "refused": ({"field": "a.b"},),
    "accepted": (GOOD,),
    "rejected": (BAD, Envelope(200, {}, "receipt")),
}
Check = Callable[[Any, Any], Any]


def label(settings: Any) -> str:
    return f"has {settings['field']}"


def right(settings: Any, envelope: Envelope) -> list[Mismatch]:
    if not envelope.problem and isinstance(envelope.data, dict) and settings["field"] in envelope.data:
        return []
    return [Mismatch(label(settings), envelope.problem or f"there is no {settings['field']}")]


def validator(check: Check = right, *, offset: int = 1, **changes: Any) -> ValidatorType:
    def build(settings: Any) -> Callable[[Envelope], Any]:
        if "." in settings["field"]:
            raise TemplateError("not a field", start=offset, end=offset)
        return lambda envelope: check(settings, envelope)

    given = {"name": "has", "summary": "A field.", "schema": SCHEMA, "build": build, "label": label}
    return ValidatorType(**{**given, "expression": "field", **changes})


def random() -> Check:
    count = itertools.count()
    return lambda settings, envelope: right(settings, envelope) if next(count) % 2 else [Mismatch("has", "odd")]


def shared() -> Check:
    """Keeps the envelope of a call where all threads see it."""
    current: list[Envelope] = [GOOD]

    def check(settings: Any, envelope: Envelope) -> Any:
        current[0] = envelope
        time.sleep(0.001)
        return right(settings, current[0])

    return check


def changing(settings: Any, envelope: Any) -> Any:
    result = right(settings, envelope)
    with suppress(TypeError, AttributeError):
        envelope.data.pop("receipt", None)
    return result


def waiting(settings: Any, envelope: Envelope) -> Any:
    with suppress(OSError):
        time.sleep(0)
    return right(settings, envelope)


BROKEN: dict[str, list[tuple[ValidatorType, str]]] = {
    "test_it_accepts": [(validator(lambda *_: [Mismatch("has receipt", "no")]), "it rejects")],
    "test_it_rejects": [
        (validator(lambda *_: []), "it accepts"),
        (validator(lambda *_: [Mismatch("has receipt", "")]), "no message"),
        (validator(lambda *_: [Mismatch("has receipt", "a\nb")]), "control characters"),
        (validator(lambda *_: [Mismatch("other", "no")]), "name it as its label does"),
        (validator(lambda *_: True), "returns True, not a list of mismatches"),
        (validator(lambda *_: ["no"]), "not a list of mismatches"),
    ],
    "test_label_tells_it_apart": [
        (validator(label=lambda _: None), "not text"),
        (validator(label=lambda _: "receipt"), "does not begin with has"),
        (validator(label=lambda _: "has \x1b"), "control characters"),
        (validator(label=lambda _, count=itertools.count(): f"has {next(count)}"), "something else each time"),
    ],
    "test_it_is_deterministic": [(validator(random()), "different results")],
    "test_it_does_not_change_the_response": [(validator(changing), "it changes the envelope")],
    "test_it_rejects_a_body_that_cannot_be_trusted": [
        (validator(lambda settings, one: right(settings, Envelope(200, {}, one.data))), "report the problem instead")
    ],
    "test_it_survives_any_body": [
        (validator(lambda settings, one: [one.data[settings["field"]]]), "it raises TypeError"),
        (
            validator(lambda _, one: [] if one.data.get("receipt") else [Mismatch("has", "no")]),
            "it raises AttributeErr",
        ),
    ],
    "test_it_neither_sends_nor_waits": [(validator(waiting), "calls time.sleep")],
    "test_threads_may_share_it": [(validator(shared()), "if threads share it")],
    "test_errors_point_into_the_expression": [
        (validator(offset=9), "9 to 9 are not in 'a.b'"),
        (validator(expression="path"), "'path', which is not a setting"),
    ],
}
CASES = [(test, part, match) for test, parts in BROKEN.items() for part, match in parts]


@pytest.mark.parametrize(("test", "part", "match"), CASES, ids=[test for test, _, _ in CASES])
def test_it_finds_the_mistake(run_contract: Callable[..., None], test: str, part: ValidatorType, match: str) -> None:
    with pytest.raises(AssertionError, match=match):
        run_contract(ValidatorContract, test, part, **GIVEN)


@pytest.mark.parametrize(
    ("test", "attribute"),
    [("test_it_accepts", "accepted"), ("test_it_rejects", "rejected")],
    ids=["accepts", "rejects"],
)
def test_it_needs_responses(run_contract: Callable[..., None], test: str, attribute: str) -> None:
    with pytest.raises(AssertionError, match=f"at least one envelope in `{attribute}`"):
        run_contract(ValidatorContract, test, validator(), **{**GIVEN, attribute: ()})


def test_it_finds_nothing_in_a_validator_without_mistakes(
    run_contract: Callable[..., None], tests_of: Callable[[type], set[str]]
) -> None:
    for test in tests_of(ValidatorContract):
        run_contract(ValidatorContract, test, validator(), **GIVEN)


def test_there_is_a_mistake_for_each_test(tests_of: Callable[[type], set[str]]) -> None:
    in_common = tests_of(ConfiguredContract)  # test_auth_contract.py has them
    assert BROKEN.keys() == tests_of(ValidatorContract) - in_common
