"""Replays: compares the current request with the recorded one, and validates the recorded response again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from hookctl.delivery.attempt.envelope import body_value
from hookctl.delivery.outcomes import describe, is_delivered
from hookctl.delivery.rehearsal.cassette import Exchange, cassette_name, path_of, read, settled
from hookctl.delivery.rehearsal.rehearsal import Rehearsal
from hookctl.errors import CassetteError
from hookctl.model import MASK, Attempt, DeliveryPlan, Json, Request, Response, Timing, canonical_json
from hookctl.plugin.calls import Plugins


@dataclass(frozen=True, slots=True)
class Replay:
    """The replay of a recorded exchange. It sends nothing and reads no secret."""

    plan: DeliveryPlan
    event_type: str
    cassette: Path
    attempt: Attempt | None = None
    """The current request with the recorded response and the current verdicts; None if there is no recording."""
    recorded: Json = None
    """The recorded request as JSON."""
    current: Json = None
    """The current request in the same form; None if it could not be made."""
    problem: str = ""
    """Why there is no recording to replay."""
    without_auth: str = ""
    """Why the recorded headers of auth were used: auth cannot work without its secret. Empty if auth was applied."""

    @property
    def title(self) -> str:
        """The webhook, with the event type if it receives several."""
        return self.plan.name if len(self.plan.events) == 1 else f"{self.plan.name} ({self.event_type})"

    @property
    def is_recorded_request(self) -> bool:
        """Whether the current request equals the recorded one."""
        # Python considers True and 1 equal, JSON does not
        return canonical_json(self.recorded) == canonical_json(self.current)

    @property
    def succeeded(self) -> bool:
        """Whether the request equals the recorded one, and the recorded response passes."""
        return self.attempt is not None and is_delivered(self.attempt, self.plan) and self.is_recorded_request

    @property
    def reason(self) -> str:
        """Why the replay did not succeed; empty if it did."""
        if self.succeeded:
            return ""
        if self.attempt is None:
            return self.problem
        if self.current is not None and not self.is_recorded_request:
            return "the request differs from the recorded one"
        return describe(self.attempt, self.plan.custom_validation_error_message)


def replay(plan: DeliveryPlan, document: Mapping[str, Json], plugins: Plugins, directory: Path, at: float) -> Replay:
    """Compare the current request for an event with the recording in ``directory``. ``at`` is in epoch seconds."""
    event_type = str(document.get("event_type", ""))
    name = cassette_name(plan.name, plan.events, event_type)
    cassette = path_of(directory, name)
    try:
        exchange = read(directory, name)
    except CassetteError as error:
        return Replay(plan, event_type, cassette, problem=error.message)

    def answer(_: Request) -> tuple[Response, Timing]:
        return exchange.response, Timing()

    rehearsal = Rehearsal(plan, plugins, answer)
    try:
        attempt = rehearsal.attempt(document, 1, at)
    finally:
        rehearsal.close()
    current = settled(attempt.request) if attempt.request else None
    if current is not None and rehearsal.without_auth:
        current = _with_recorded_auth(current, exchange)
    return Replay(
        plan,
        event_type,
        cassette,
        replace(attempt, request=current),
        recorded=comparable(exchange.request),
        current=comparable(current) if current else None,
        without_auth=rehearsal.without_auth,
    )


def comparable(request: Request) -> Json:
    """A request as JSON for a comparison by key: header names in lower case, and the body parsed if it is JSON."""
    headers: dict[str, Json] = {name.lower(): value for name, value in sorted(request.headers)}
    return {
        "method": request.method,
        "url": request.url,
        "headers": headers,
        "body": None if request.body is None else body_value(request.body),
    }


def _with_recorded_auth(request: Request, exchange: Exchange) -> Request:
    given = {name.lower() for name, _ in request.headers}
    masked = tuple(
        (name, value) for name, value in exchange.request.headers if name.lower() not in given and value.endswith(MASK)
    )
    return replace(request, headers=request.headers + masked)
