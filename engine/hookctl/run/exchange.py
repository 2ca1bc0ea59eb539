"""What goes into the attempt engine, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from hookctl.model import Attempt, DeliveryPlan, Json


class Job(Struct, frozen=True):
    """One attempt to be made."""

    delivery_id: str
    """Stable over all attempts; sent as ``webhook-id``."""
    plan: DeliveryPlan
    document: Mapping[str, Json]
    """The whole event: ``{id, event_type, event_time, data}``."""
    number: int
    """Which attempt of the delivery this is, from 1."""


class Finished(Struct, frozen=True):
    """A job and what came of it."""

    job: Job
    attempt: Attempt
