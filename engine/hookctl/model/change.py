"""Changes between the applied and the desired delivery plans, and the plan that holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import overload

from hookctl.model.deferred import Deferred, set_field
from hookctl.model.delivery_plan import DeliveryPlan, canonical_json, digests_of
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
class Change(Deferred):
    """The change of one name. ``before`` is None for create, ``after`` for delete; for a rename it has the old name."""

    name: str
    """The new one of a rename."""
    action: Action
    before: DeliveryPlan | None
    after: DeliveryPlan | None
    fields: tuple[FieldChange, ...] = ()

    @classmethod
    def create(cls, after: DeliveryPlan, fields: Callable[[DeliveryPlan], Iterable[FieldChange]]) -> Change:
        """The change that makes a new webhook, its ``fields`` worked out when somebody asks for them: nobody reads those of thousands."""
        change = cls._later(lambda: cls(after.name, Action.CREATE, None, after, tuple(fields(after))))
        for name, value in (("name", after.name), ("action", Action.CREATE), ("before", None), ("after", after)):
            set_field(change, name, value)
        return change

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
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """The webhooks that are applied and whose delivery plans cannot be read, since their rows are damaged, and why. They are not in ``plans``."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A git revision that files are compared with, instead of with what is applied."""

    ref: str
    """As the user named it."""
    commit: str
    """What it names: the commit's whole id."""


class Changes(Sequence[Change]):
    """Every change of a plan, ordered by name. Thousands that change nothing are made when somebody looks at them."""

    def __init__(
        self, changed: Iterable[Change], unchanged: AbstractSet[str], plans: Mapping[str, DeliveryPlan]
    ) -> None:
        """``unchanged``: the names of the webhooks that stay as they are, each with its delivery plan in ``plans``."""
        self.changed = tuple(sorted(changed, key=lambda change: _place(change.name)))
        """Those that are more than ``unchanged``, in order."""
        self.unchanged = unchanged
        self._plans = plans

    @cached_property
    def _all(self) -> tuple[Change, ...]:
        plans = ((name, self._plans[name]) for name in self.unchanged)
        rest = (
            Change(name, Action.UNCHANGED, plan, plan) for name, plan in plans
        )  # equal on both sides, and so read at most once
        return tuple(sorted([*self.changed, *rest], key=lambda change: _place(change.name)))

    def first_unchanged(self, count: int) -> Sequence[str]:
        """The first so many names of those that stay as they are, in order."""
        from heapq import nsmallest

        return nsmallest(count, self.unchanged, key=_place)

    def __contains__(self, change: object) -> bool:
        return change in self._all

    def __iter__(self) -> Iterator[Change]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self.changed) + len(self.unchanged)

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Change]: ...
    def __getitem__(self, index: int | slice) -> Change | Sequence[Change]:
        return self._all[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Changes | tuple) and self._all == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all)


def _place(name: str) -> tuple[str, str]:
    return name.casefold(), name


@dataclass(frozen=True)  # without slots, so that the digest is worked out once, and only if somebody asks
class Plan:
    """The ordered changes, and the serial of the state that they start from."""

    serial: int
    changes: Changes
    versions: Mapping[str, str]
    """Of hookctl and of each plugin's distribution: a plan says what made it."""
    only: tuple[str, ...] = ()
    """The names that the plan was narrowed to, in order; all others are left as they are. Empty: it is for every webhook."""
    against: Revision | None = None
    """What the files are compared with, if it is not the applied state. Such a plan cannot be applied."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all the rest, in hex: a delivery plan's digest covers its whole document, name included."""
        rows: list[Json] = [
            [
                change.name,
                change.action.value,
                change.before.digest if change.before else None,
                change.after.digest if change.after else None,
            ]
            for change in self.changes
        ]
        revision: Json = [self.against.ref, self.against.commit] if self.against else None
        document: Json = {
            "serial": self.serial,
            "changes": rows,
            "versions": dict(self.versions),
            "only": list(self.only),
            "against": revision,
        }
        return hashlib.sha256(canonical_json(document)).hexdigest()

    @property
    def changed(self) -> tuple[Change, ...]:
        """The changes without those that are ``unchanged``, in order."""
        return self.changes.changed

    @property
    def has_changes(self) -> bool:
        """True unless every change is ``unchanged``."""
        return bool(self.changed)

    def starts_from(self, applied: AppliedState) -> bool:
        """True when the plan was made for this applied state: its serial, and each delivery plan in it."""
        before = {change.before.name: change.before.digest for change in self.changes if change.before}
        return self.serial == applied.serial and before == digests_of(applied.plans)

    @property
    def protected_removals(self) -> tuple[str, ...]:
        """The names of protected webhooks that the plan would remove; no apply does that."""
        return tuple(
            change.name
            for change in self.changed
            if change.action is Action.DELETE and change.before and change.before.protected
        )
