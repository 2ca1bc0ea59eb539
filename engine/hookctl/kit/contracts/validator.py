"""The contract of a response validator."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from hookctl.bounded import RESPONSE_STEPS, Budget
from hookctl.errors import BudgetError, HookctlError, TemplateError
from hookctl.kit.contracts.conduct import NETWORK, THREADS, WAITING, at_once, watched
from hookctl.kit.contracts.part import CONTROL, ConfiguredContract, at_secrets, mistake
from hookctl.model import Json, Mismatch
from hookctl.plugin import Envelope, Validate

CUT = "the body is longer than 65536 bytes"


def nested(depth: int) -> Json:
    """A list in a list in a list ..."""
    value: Json = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: tuple[Any, ...] = (
    *(None, True, -1, 1e308, 10**300, "", "text", "\x00\x1b[31m\u2028", [], {}, nested(60)),
    *([[]] * 20_000, {str(number): number for number in range(20_000)}, "a" * 60_000),
)
"""Bodies that a target may send, as JSON values. Those of 64 KiB are the largest that a validator gets."""


class Watched:
    """Behaves like an envelope, and remembers whether anyone read the body."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self.read = False

    def __getattr__(self, name: str) -> Any:
        self.read = self.read or name == "data"
        return getattr(self._envelope, name)


class ValidatorContract(ConfiguredContract):
    """The tests of a validator type. Set ``name``, ``settings``, ``accepted`` and ``rejected``."""

    hook = "hookctl_validator_types"
    what = "validator"
    accepted: ClassVar[Sequence[Envelope]]
    """Responses that pass with these settings; at least one."""
    rejected: ClassVar[Sequence[Envelope]]
    """Responses that do not pass; at least one."""

    def build_with(self, settings: Mapping[str, Any]) -> Validate:
        """The check with other settings."""
        validate: Validate = self.part.build(settings)
        return validate

    def mismatches(self, envelope: Envelope) -> list[Mismatch]:
        """What a new check reports about a response."""
        return _fields(self.build_with(self.settings)(_fresh(envelope)))

    def test_it_accepts(self) -> None:
        """Each response in ``accepted`` passes."""
        assert self.accepted, "list at least one envelope in `accepted`"
        for envelope in self.accepted:
            assert self.mismatches(envelope) == [], f"it rejects {envelope}"

    def test_it_rejects(self) -> None:
        """Each response in ``rejected`` has a mismatch that says why, in one line."""
        assert self.rejected, "list at least one envelope in `rejected`"
        for envelope in self.rejected:
            found = self.mismatches(envelope)
            assert found, f"it accepts {envelope}"
            for mismatch in found:
                assert mismatch.message, f"a mismatch about {envelope} has no message"
                assert not CONTROL.search(mismatch.message), f"the message has control characters: {mismatch.message!r}"
                assert mismatch.validator == self.part.label(self.settings), (
                    f"a mismatch names the validator {mismatch.validator!r}; name it as its label does"
                )

    def test_label_tells_it_apart(self) -> None:
        """The label is one short line that begins with the name of the type."""
        label = self.part.label(self.settings)
        assert isinstance(label, str), f"label returned {label!r}, not text"
        assert label.split(" ")[0] == self.part.name, f"the label {label!r} does not begin with {self.part.name}"
        assert not CONTROL.search(label), f"the label has control characters: {label!r}"
        assert label == self.part.label(self.settings), "label returns something else each time"

    def test_it_is_deterministic(self) -> None:
        """The same check returns the same for the same response: hookctl does not ask again about accepted bytes."""
        validate = self.build_with(self.settings)
        for envelope in (*self.accepted, *self.rejected):
            results = [_fields(validate(_fresh(envelope))) for _ in range(3)]
            assert results[0] == results[1] == results[2], f"it returns different results for {envelope}"

    def test_it_does_not_change_the_response(self) -> None:
        """The validators of a webhook share one envelope."""
        for envelope in (*self.accepted, *self.rejected):
            mine = _fresh(envelope)
            self.build_with(self.settings)(mine)
            assert mine == envelope, f"it changes the envelope: {envelope} became {mine}"

    def test_it_rejects_a_body_that_cannot_be_trusted(self) -> None:
        """A validator that reads the body rejects one that was cut off, or that parsers disagree about."""
        for envelope in self.accepted:
            watched_one: Any = Watched(_fresh(envelope))
            self.build_with(self.settings)(watched_one)
            if watched_one.read:
                found = self.mismatches(replace(envelope, problem=CUT))
                assert found, "it reads `data` and accepts an envelope with a `problem`; report the problem instead"

    def test_it_survives_any_body(self) -> None:
        """The response may be hostile: the check returns mismatches, or raises BudgetError."""
        validate = self.build_with(self.settings)
        for envelope in (*self.accepted[:1], *self.rejected[:1]):
            for body in HOSTILE:
                try:
                    found = validate(replace(_fresh(envelope), data=copy.deepcopy(body), not_json=""))
                except BudgetError:
                    continue  # its cost is limited, as it should be
                except Exception as error:  # whatever it is, hookctl reports a failure of the plugin
                    raise AssertionError(f"it raises {error!r} for a body such as {str(body)[:60]!r}") from error
                _fields(found)

    def test_it_neither_sends_nor_waits(self) -> None:
        """It runs on the thread that delivers."""
        for envelope in (*self.accepted, *self.rejected):
            self.mismatches(envelope)  # what it imports is not counted
            with watched((*NETWORK, *WAITING)) as called:
                self.mismatches(envelope)
            assert not called, f"it calls {called[0]}"

    def test_threads_may_share_it(self) -> None:
        """Several threads use one check at the same time."""
        validate = self.build_with(self.settings)
        envelopes = [*self.accepted, *self.rejected]
        wanted = [_fields(validate(_fresh(envelope))) for envelope in envelopes]
        for _ in range(5):
            found = at_once([partial(validate, _fresh(envelope)) for envelope in envelopes * THREADS])
            assert [_fields(one) for one in found] == wanted * THREADS, "its results differ if threads share it"

    def test_errors_point_into_the_expression(self) -> None:
        """A TemplateError has offsets into the setting that ``expression`` names."""
        setting = self.part.expression
        if not setting:
            return
        assert setting in self.part.schema["properties"], f"expression names {setting!r}, which is not a setting"
        for settings in self.refused:
            if mistake(self.part.schema, settings):
                continue
            try:
                self.build_with(at_secrets(self.part.schema, settings, str))
            except TemplateError as error:
                is_inside = 0 <= error.start <= error.end <= len(str(settings[setting]))
                assert is_inside, f"the offsets {error.start} to {error.end} are not in {settings[setting]!r}"  # noqa: PT017
            except HookctlError:
                continue


def _fresh(envelope: Envelope) -> Envelope:
    """A copy with a budget of its own."""
    data = copy.deepcopy(envelope.data)
    return replace(envelope, headers=dict(envelope.headers), data=data, budget=Budget(RESPONSE_STEPS))


def _fields(returned: Any) -> list[Mismatch]:
    """What a check returned, as a list. Raises AssertionError if it is anything but mismatches."""
    is_right = isinstance(returned, Sequence) and all(isinstance(one, Mismatch) for one in returned)
    assert is_right, f"it returns {returned!r}, not a list of mismatches"
    return list(returned)
