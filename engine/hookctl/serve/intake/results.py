"""What became of the events of a request: the answer in JSON, and the problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from hookctl.delivery.events.intake import BadEvent
from hookctl.delivery.events.rules import EventRule, hint
from hookctl.errors import ChangedError, HookctlError, IntakeRefusedError, StateLockedError
from hookctl.model import Event
from hookctl.serve.problems import ProblemError

if TYPE_CHECKING:
    from hookctl.delivery.producer import TakenIn
    from hookctl.model import Json

MAX_ERRORS = 100
"""The number of bad events that a problem describes."""
BUSY_SECONDS = 2
"""``Retry-After`` of a store that is busy or fails."""
CHANGED = "an event with this id was accepted before, with other content"


class Result(Struct, omit_defaults=True):
    """What became of one event."""

    id: str | None
    """None: it is not known, because the event could not be read."""
    status: str
    """``accepted``, ``duplicate`` or ``rejected``."""
    webhooks: Sequence[str]
    """The names of the webhooks that it matched."""
    index: int | None = None
    """For a rejected event, its number among the events of the request, from 0."""
    place: str = ""
    rule: str = ""
    detail: str = ""
    hint: str = ""


class Results(Struct):
    """What became of several events."""

    events: list[Result]
    accepted: int
    duplicate: int
    rejected: int


def stored(event: Event, taken: TakenIn) -> Result:
    """The result of an event that is on disk."""
    return Result(event.id, "accepted" if taken.is_new else "duplicate", taken.webhooks)


def rejected(index: int, bad: BadEvent) -> Result:
    """The result of an event that was not stored."""
    return Result(None, "rejected", (), index, bad.place, bad.rule, bad.reason, hint(bad.rule))


def counted(results: list[Result]) -> Results:
    """Results with their numbers."""
    statuses = [one.status for one in results]
    return Results(results, *map(statuses.count, ("accepted", "duplicate", "rejected")))


def bad_events(bad: Sequence[tuple[int, BadEvent]], total: int, findings: Iterable[str] = ()) -> ProblemError:
    """The problem of a request with bad events, each with its number, of which nothing was stored.

    ``findings`` is everything that the schema finds in the only event.
    """
    errors: list[dict[str, Json]] = [
        {
            "index": index,
            "place": one.place,
            "rule": one.rule,
            "detail": detail,
            **({"hint": fix} if (fix := hint(one.rule)) else {}),
        }
        for index, one in bad[:MAX_ERRORS]
        for detail in (list(findings) or [one.reason])
    ]
    first = bad[0][1]
    rules = {one.rule for _, one in bad}
    only = first.rule if len(rules) == 1 else ""
    status, kind, title = KINDS.get(only, INVALID)
    if total == 1:
        return ProblemError(
            status, type=kind, title=title, detail=first.reason, hint=hint(first.rule), errors=[*errors]
        )
    detail = f"{len(bad):,} of {total:,} events cannot be accepted, the first at {first.place}: {first.reason}"
    return ProblemError(
        status, type=kind, title=title, detail=f"{detail}. Nothing was stored", hint=PARTIAL, errors=[*errors]
    )


INVALID = (422, "event-invalid", "An event is not valid")
KINDS: Mapping[str, tuple[int, str, str]] = {
    EventRule.CHANGED: (422, "event-changed", "An event has the id of another event"),
    EventRule.TYPE_FORBIDDEN: (403, "event-type-forbidden", "The token may not send events of this type"),
    EventRule.TOO_LARGE: (413, "too-large", "The request is too large"),
}
"""The problem of a request, all bad events of which are bad in the same way; otherwise it is ``INVALID``."""
PARTIAL = "Fix them and send the request again, or store the other events with ?partial=true."


def revoked(stored_events: int) -> ProblemError:
    """The problem of a request whose token has ended while it arrived, and of which so many events are stored."""
    return ProblemError(
        401,
        type="token-refused",
        title="The token is not accepted",
        detail="the token has expired or was revoked while the request arrived; the rest was not read",
        hint="`hookctl tokens list` shows the tokens that are accepted.",
        headers={"WWW-Authenticate": 'Bearer realm="hookctl", error="invalid_token"'},
        **({"stored": stored_events} if stored_events else {}),
    )


def failure(error: HookctlError, stored_events: int = 0) -> ProblemError:
    """The problem of a store that took in no events, of a request of which it has stored some before."""
    after, kind, title = BUSY_SECONDS, "store-unavailable", "The store cannot be used"
    if isinstance(error, ChangedError):
        return ProblemError(
            422,
            type="idempotency-key-reused",
            title="The Idempotency-Key was used for another request",
            detail="this token has sent another body with this Idempotency-Key",
            hint="Use a new key for each request, and the same key only to repeat a request.",
        )
    if isinstance(error, IntakeRefusedError):
        after, kind, title = error.retry_after, "store-full", "No more events are taken in at the moment"
    elif isinstance(error, StateLockedError):
        kind, title = "store-busy", "The store is busy"
    return ProblemError(
        503,
        type=kind,
        title=title,
        detail=error.message,
        hint=error.hint or "Send the request again: an event that was stored before is not sent twice.",
        headers={"Retry-After": str(after)},
        **({"stored": stored_events} if stored_events else {}),
    )
