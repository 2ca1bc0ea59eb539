"""Observers: what plugins do with each recorded attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hookctl.model import Attempt, Delivery, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Receives each recorded attempt and outcome.

    It cannot change them. hookctl logs each of its errors once and drops the rest. Its functions are called on a thread
    of its own, one at a time.
    """

    name: str
    summary: str = ""
    schema: Mapping[str, Json] | None = None
    """JSON Schema of its table ``[observers.NAME]``. None: it has no settings and is always on.

    ``"x-path": true`` marks a property that is a path: only in a settings file that the user names may it lead out of
    the working directory.
    """
    build: Callable[[Mapping[str, Json]], Observer] | None = None
    """Returns the observer for settings that are valid against the schema: one with functions instead of ``build``. An
    observer with ``build`` is off unless hookctl.toml has its table. Raises ``hookctl.errors.SettingsError`` for
    settings that cannot be used on this machine; deliveries then do not start.
    """
    attempted: Callable[[Delivery, Attempt], None] | None = None
    """Receives each attempt, with the delivery after it."""
    ended: Callable[[Delivery], None] | None = None
    """Receives each delivery that is not retried: it is delivered, dead or held."""
    close: Callable[[], None] | None = None
    """Called once, after everything else, when hookctl stops."""
    records_traces: bool = False
    """True if it records spans. Requests then carry ``traceparent``, and attempts have a ``trace``. The description
    with ``build`` declares it, for `plan` and `render`.
    """
    sampled_share: float = 1.0
    """Of the traces that hookctl begins, how many it records, from 0 to 1. ``traceparent`` marks only those as sampled.
    """
