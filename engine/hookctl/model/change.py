"""Changes between the applied and the desired delivery plans, and the plan that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hookctl.model.delivery_plan import DeliveryPlan
from hookctl.model.source import Json, Pointer


class Action(StrEnum):
    """What an apply would do to one name."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs; ``before`` or ``after`` is None where the field is absent on that side."""

    pointer: Pointer
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one name. ``before`` is None for create, ``after`` for delete."""

    name: str
    action: Action
    before: DeliveryPlan | None
    after: DeliveryPlan | None
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class AppliedState:
    """The delivery plans that run now."""

    serial: int = 0
    """Raised by one with each apply; 0 before the first."""
    plans: Mapping[str, DeliveryPlan] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered changes, and the serial of the state that they start from."""

    serial: int
    changes: tuple[Change, ...]
    digest: str
    """SHA-256 over serial, changes and versions."""
    versions: Mapping[str, str]
    """Of hookctl and of each plugin's distribution: a plan says what made it."""

    @property
    def has_changes(self) -> bool:
        """True unless every change is ``unchanged``."""
        return any(change.action is not Action.UNCHANGED for change in self.changes)

    @property
    def protected_removals(self) -> tuple[str, ...]:
        """The names of protected webhooks that the plan would remove; no apply does that."""
        return tuple(change.name for change in self.changes if change.action is Action.DELETE and change.before and change.before.protected)
