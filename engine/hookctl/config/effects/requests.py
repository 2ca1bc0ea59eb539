"""The request that a webhook makes for an event, before and after a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hookctl.config.effects.bodies import format_of, open_body, with_names
from hookctl.config.effects.structure import ABSENT, Marker, Masked, Opened, Step, compare
from hookctl.errors import HookctlError
from hookctl.model import BodyFormat, DeliveryPlan, Json, PluginBlock, Request, canonical_json
from hookctl.model.secret import has_reference, mask
from hookctl.plugin.added import Added

Document = Mapping[str, Json]
Render = Callable[[DeliveryPlan, Document], Request]
"""Gives the request for an event, with references as ``***`` and without what auth adds. Raises HookctlError. See
``hookctl.delivery.rehearsal.render``."""
Adds = Callable[[DeliveryPlan], Added]
"""What its auth adds; raises PluginError."""
Lets = Callable[[DeliveryPlan, Document], bool | None]
"""Whether a webhook is active and lets an event through; None when its ``when`` cannot be evaluated for it."""

MAX_SHOWN = 3
"""So many requests of one webhook are shown; the others are counted."""
NO_REQUEST: Opened = {"headers": {}}
"""What a request is compared with where there is none: each of its parts comes, or goes."""
OF_EACH_DELIVERY = frozenset({"webhook-id", "webhook-timestamp"})
"""Headers that differ with each delivery, so they say nothing of a change."""
OF_HOOKCTL = "User-Agent"
"""Says hookctl's version in every request, unless the webhook has one of its own."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An event that requests are shown for."""

    before: Document
    after: Document
    """The same event, unless a change is of the event type."""
    is_mock: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """The request of one side of a change for one event."""

    value: Opened | Marker
    """Method, URL, headers, auth and body as one value; absent without a webhook, or if the request cannot be built."""
    body: bytes | None = None
    problem: str = ""
    """Why it cannot be made: a delivery is dead then."""
    is_sent: bool | None = False
    """Whether an event like this one is delivered; None: its ``when`` cannot be evaluated for it."""


@dataclass(frozen=True, slots=True)
class RequestChange:
    """The request for one event, before and after."""

    event_id: str
    is_mock: bool
    before: Side
    after: Side
    steps: tuple[Step, ...]
    """What is the same and what differs."""
    event_type: str = ""
    """The type of the event, if the webhook receives several; empty otherwise."""

    @property
    def is_rewritten(self) -> bool:
        """True when the body says the same, written differently: spaces, order of keys, escapes."""
        return (
            self.before.body != self.after.body
            and not self.before.problem
            and not self.after.problem
            and all(step.same for step in self.steps)
        )

    @property
    def is_sent(self) -> bool:
        """False when neither side lets the event through."""
        return self.before.is_sent is not False or self.after.is_sent is not False

    @property
    def starts(self) -> bool:
        """True when such an event was not sent by the webhook that there was, and is now."""
        return self.before.is_sent is False and self.after.is_sent is True and not isinstance(self.before.value, Marker)

    @property
    def stops(self) -> bool:
        """True when such an event was sent, and is no longer."""
        return self.before.is_sent is True and self.after.is_sent is False

    @property
    def is_effect(self) -> bool:
        """True when the request differs in anything that its receiver sees."""
        return (
            self.is_rewritten or self.before.problem != self.after.problem or not all(step.same for step in self.steps)
        )


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of one webhook for the samples."""

    shown: tuple[RequestChange, ...]
    """The first :data:`MAX_SHOWN` that differ."""
    changed: int
    """Samples whose request differs."""
    unchanged: int
    newly_sent: int
    """Samples that were not sent by the webhook that there was, and are now; whether their request differs or not."""
    no_longer_sent: int
    is_mock: bool
    """The one sample is the event type's mock event."""


def request_change(
    before: DeliveryPlan | None, after: DeliveryPlan, sample: Sample, *, render: Render, adds: Adds, lets: Lets
) -> RequestChange:
    """The request for one event, rendered on both sides whether it would be sent or not."""
    old, new = (
        _side(plan, event, render, adds, lets) for plan, event in ((before, sample.before), (after, sample.after))
    )
    before_value, after_value = (NO_REQUEST if isinstance(side.value, Marker) else side.value for side in (old, new))
    steps = compare(before_value, after_value)
    event_type = str(sample.after.get("event_type", "")) if len(after.events) > 1 else ""
    return RequestChange(str(sample.after.get("id", "")), sample.is_mock, old, new, tuple(steps), event_type)


def summed_up(changes: Sequence[RequestChange]) -> Requests:
    """The first that differ, and how many do."""
    effects = [change for change in changes if change.is_effect]
    newly_sent, no_longer_sent = sum(change.starts for change in changes), sum(change.stops for change in changes)
    return Requests(
        tuple(effects[:MAX_SHOWN]),
        len(effects),
        len(changes) - len(effects),
        newly_sent,
        no_longer_sent,
        all(change.is_mock for change in changes),
    )


def _side(plan: DeliveryPlan | None, document: Document, render: Render, adds: Adds, lets: Lets) -> Side:
    if plan is None:
        return Side(ABSENT)
    is_sent = lets(plan, document)
    try:
        request = render(plan, document)
    except HookctlError as error:
        return Side(ABSENT, problem=error.message, is_sent=is_sent)
    named = _with_names(plan, document, render)
    return Side(_value(plan, request, named, adds(plan)), request.body, is_sent=is_sent)


def _with_names(plan: DeliveryPlan, document: Document, render: Render) -> bytes | None:
    """The body with the name of each secret in its place; None if it has no secrets."""
    named = with_names(plan)
    if named is None:
        return None
    try:
        return render(named, document).body
    except HookctlError:
        return None  # with the names, it is too large


def _value(plan: DeliveryPlan, request: Request, named: bytes | None, added: Added) -> Opened:
    value: dict[str, Opened] = {
        "method": request.method,
        "url": _url(plan, request, added),
        "headers": _headers(plan, request, added),
    }
    if added.unsaid:
        value["auth"] = [
            {"type": block.type, **{key: _setting(item) for key, item in block.settings.items()}}
            for block in added.unsaid
        ]
    if request.body is not None:
        if format_of(plan) != BodyFormat.JSON.value:
            value["body_format"] = format_of(plan)
        value["body"] = open_body(request.body, plan, named)
    return value


def _url(plan: DeliveryPlan, request: Request, added: Added) -> Opened:
    """The URL, with the parameters of auth. They are equal when they are made of equal settings."""
    if not added.query:
        return _masked(request.url, plan.url)
    settings = [_settings_of(block) for _, _, block in added.query]
    return Masked(added.put_into_url(request.url), canonical_json([plan.url, *settings]).decode())


def _headers(plan: DeliveryPlan, request: Request, added: Added) -> dict[str, Opened]:
    """Those of auth are equal when they are made of equal settings: what they hold is not known."""
    all_shown = added.put_into(request.headers)
    shown = [
        (name, text)
        for name, text in all_shown
        if name not in OF_EACH_DELIVERY and (name != OF_HOOKCTL or name in plan.headers)
    ]
    whose = {name: block for name, (_, block) in added.headers.items()}
    return {
        name: Masked(text, _settings_of(whose[name])) if name in whose else _masked(text, plan.headers.get(name, ""))
        for name, text in shown
    }


def _settings_of(block: PluginBlock) -> str:
    return canonical_json([block.type, dict(block.settings)]).decode()


def _masked(text: str, written: str) -> Opened:
    return Masked(text, written) if has_reference(written) else text


def _setting(value: Json) -> Opened:
    if isinstance(value, str):
        return _masked(mask(value), value)
    if isinstance(value, dict):
        return {key: _setting(item) for key, item in value.items()}
    return [_setting(item) for item in value] if isinstance(value, list) else value
