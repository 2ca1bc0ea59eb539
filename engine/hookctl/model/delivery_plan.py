"""Delivery plans: compiled webhooks, which the runner executes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from hookctl.model.source import Json

FORMAT = 1
"""Incremented when hookctl can no longer read delivery plans of older versions as they are."""
CHOICES = frozenset({"delivered", "retry", "hold", "dead"})
"""What ``outcomes`` can choose; ``hookctl.delivery.outcomes.Decision`` explains each."""
JITTER = 0.2
"""A retry may come later than scheduled, by up to this share of the delay, so that deliveries that failed together are
not all retried together."""

_ADDED = frozenset({"max_in_flight", "outcomes", "body_format", "form"})
"""Fields that were added later."""


class Status(StrEnum):
    """An active webhook receives every event of its type that matches its ``when``."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class BodyFormat(StrEnum):
    """What a body template writes. ``form`` of a delivery plan is another way to write a body, and has no format."""

    JSON = "json"
    NDJSON = "ndjson"
    TEXT = "text"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class PluginBlock:
    """A plugin's name and its settings as written (secret references stay references)."""

    type: str
    settings: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """Everything that a delivery needs, with defaults written out. It holds secret references, never a secret."""

    name: str
    events: tuple[str, ...]
    """The event types that it receives, at least one, in order."""
    status: Status
    method: str
    url: str
    headers: Mapping[str, str]
    auth: tuple[PluginBlock, ...]
    transport: PluginBlock | None
    """None: the default HTTPS transport."""
    when: str | None
    body_template: str | None
    """None: no body is sent, unless there is a :attr:`form`."""
    timeout_seconds: float
    response_validators: tuple[PluginBlock, ...]
    custom_validation_error_message: str | None
    retry_schedule: tuple[float, ...]
    """Seconds before the second, third, ... attempt."""
    rate_limit: float | None
    """Deliveries per second; None: no limit."""
    description: str | None
    labels: Mapping[str, str]
    protected: bool
    max_in_flight: int | None = None
    """The maximum number of attempts in flight; None: the runner's default for each webhook."""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """What results mean, where it differs from ``hookctl.delivery.outcomes.TABLE``: decisions by status (``404``),
    class (``5xx``) or ``mismatch``."""
    body_format: BodyFormat = BodyFormat.JSON
    """What :attr:`body_template` writes."""
    form: Mapping[str, str] | None = None
    """The line template of each field of a form, which is sent instead of :attr:`body_template`."""

    digest: str = field(init=False, compare=False)
    """SHA-256 of :meth:`canonical`, in hex."""

    def __post_init__(self) -> None:
        """Compute the digest. It is stored because every attempt names it."""
        object.__setattr__(self, "digest", hashlib.sha256(self.canonical()).hexdigest())

    def to_json(self) -> dict[str, Json]:
        """The plan as a JSON object with a fixed order of keys.

        Fields that were added later are left out while they are empty. This way, a plan that an older version of
        hookctl made keeps its digest.
        """
        document: dict[str, Json] = {
            "format": FORMAT,
            "name": self.name,
            "event": self.events[0] if len(self.events) == 1 else list(self.events),
            "status": self.status.value,
            "method": self.method,
            "url": self.url,
            "headers": dict(self.headers),
            "auth": [_block_to_json(block) for block in self.auth],
            "transport": _block_to_json(self.transport) if self.transport else None,
            "when": self.when,
            "body_template": self.body_template,
            "body_format": None if self.body_format is BodyFormat.JSON else self.body_format.value,
            "form": None if self.form is None else dict(self.form),
            "timeout_seconds": self.timeout_seconds,
            "response_validators": [_block_to_json(block) for block in self.response_validators],
            "custom_validation_error_message": self.custom_validation_error_message,
            "retry_schedule": list(self.retry_schedule),
            "rate_limit": self.rate_limit,
            "max_in_flight": self.max_in_flight,
            "outcomes": dict(self.outcomes) or None,
            "description": self.description,
            "labels": dict(self.labels),
            "protected": self.protected,
        }
        return {key: value for key, value in document.items() if value is not None or key not in _ADDED}

    @classmethod
    def from_json(cls, document: Mapping[str, Json]) -> DeliveryPlan:
        """The plan that :meth:`to_json` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        if document["format"] != FORMAT:
            raise ValueError(f"delivery plan format {document['format']!r}, but this hookctl reads {FORMAT}")
        values = cast(
            "dict[str, object]", {key: value for key, value in document.items() if key not in {"format", "event"}}
        )
        values["events"] = _events(document["event"])
        values["status"] = Status(cast("str", document["status"]))
        values["auth"] = _blocks_from_json(document["auth"])
        values["response_validators"] = _blocks_from_json(document["response_validators"])
        outcomes = document.get("outcomes", {})
        if not isinstance(outcomes, dict):
            raise TypeError("outcomes must be an object")
        if not set(outcomes.values()) <= CHOICES:
            raise ValueError(f"outcomes {outcomes!r}, but this hookctl knows {', '.join(sorted(CHOICES))}")
        transport = document["transport"]
        values["transport"] = _blocks_from_json([transport])[0] if transport else None
        values["body_format"] = BodyFormat(cast("str", document.get("body_format", BodyFormat.JSON)))
        values["retry_schedule"] = tuple(cast("list[float]", document["retry_schedule"]))
        return cls(**values)  # type: ignore[arg-type]  # the keys are the fields: a property test

    @property
    def events_text(self) -> str:
        """The event types for people: ``anomaly, audit_log``."""
        return ", ".join(self.events)

    def canonical(self) -> bytes:
        """Canonical JSON of the plan: sorted keys, no spaces, UTF-8. Equal plans give equal bytes."""
        return canonical_json(self.to_json())


_encode: Callable[[Json], str] = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


def canonical_json(value: Json) -> bytes:
    """JSON with sorted keys and without spaces, in UTF-8: the form that digests are computed from."""
    return _encode(value).encode()


def _events(value: Json) -> tuple[str, ...]:
    """The event types of a document: one name, or a list of at least two. Raises TypeError and ValueError."""
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) for name in names):
        raise TypeError("event must be a name, or a list of names")
    if isinstance(value, list) and (len(names) < 2 or names != sorted(set(cast("list[str]", names)))):
        raise ValueError("a list of event types must be in order, without repetition")
    return tuple(cast("list[str]", names))


def _block_to_json(block: PluginBlock) -> dict[str, Json]:
    return {"type": block.type, "settings": dict(block.settings)}


def _blocks_from_json(value: Json) -> tuple[PluginBlock, ...]:
    blocks = cast("list[dict[str, Json]]", value)
    return tuple(
        PluginBlock(cast("str", block["type"]), cast("dict[str, Json]", block["settings"])) for block in blocks
    )
