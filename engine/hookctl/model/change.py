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
    RENAME = "rename"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs; ``before`` or ``after`` is None where the field is absent on that side."""

    pointer: Pointer
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one name. ``before`` is None for create, ``after`` for delete; for a rename it has the old name."""

    name: str
    """The new one of a rename."""
    action: Action
    before: DeliveryPlan | None
    after: DeliveryPlan | None
    fields: tuple[FieldChange, ...] = ()

    @property
    def renamed_from(self) -> str | None:
        """The old name of a rename; None for every other change."""
        return self.before.name if self.action is Action.RENAME and self.before else None


@dataclass(frozen=True, slots=True)
class Rename:
    """One webhook's change of name, and the serial of the apply that made it."""

    serial: int
    old: str
    new: str
    is_taken: bool = False
    """True: the old name was given to another webhook since."""


@dataclass(frozen=True, slots=True)
class AppliedState:
    """The delivery plans that run now."""

    serial: int = 0
    """Raised by one with each apply; 0 before the first."""
    plans: Mapping[str, DeliveryPlan] = field(default_factory=dict)
    renames: tuple[Rename, ...] = ()
    """Every rename there ever was, in the order of the applies."""
    is_edited: bool = False
    """True: something other than an apply has added, replaced or removed a delivery plan since the last apply."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A git revision that files are compared with, instead of with what is applied."""

    ref: str
    """As the user named it."""
    commit: str
    """What it names: the commit's whole id."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered changes, and the serial of the state that they start from."""

    serial: int
    changes: tuple[Change, ...]
    digest: str
    """SHA-256 over all the rest."""
    versions: Mapping[str, str]
    """Of hookctl and of each plugin's distribution: a plan says what made it."""
    only: tuple[str, ...] = ()
    """The names that the plan was narrowed to, in order; all others are left as they are. Empty: it is for every webhook."""
    against: Revision | None = None
    """What the files are compared with, if it is not the applied state. Such a plan cannot be applied."""

    @property
    def has_changes(self) -> bool:
        """True unless every change is ``unchanged``."""
        return any(change.action is not Action.UNCHANGED for change in self.changes)

    @property
    def protected_removals(self) -> tuple[str, ...]:
        """The names of protected webhooks that the plan would remove; no apply does that."""
        return tuple(change.name for change in self.changes if change.action is Action.DELETE and change.before and change.before.protected)
