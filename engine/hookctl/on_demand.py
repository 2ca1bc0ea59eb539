"""A mapping whose values are read when they are needed. It keeps laziness out of the records.

Few of ten thousand webhooks change. For the others, only the name and the digest are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeVar

from hookctl.model import DeliveryPlan

T = TypeVar("T")


class OnDemand(Mapping[str, T]):
    """Values by name. Each is read when it is first asked for, and kept."""

    __slots__ = ("_names", "_read", "_values")

    def __init__(self, names: Collection[str], read: Callable[[str], T], known: Mapping[str, T] | None = None) -> None:
        """``read`` gives the value of a name; ``known`` holds values that need not be read; other names are ignored."""
        self._names = names
        self._read = read
        self._values = dict(known or {})

    def __getitem__(self, name: str) -> T:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._values:
            self._values[name] = self._read(name)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class KnownPlans(OnDemand[DeliveryPlan]):
    """Delivery plans by name, whose digests are known without reading them."""

    __slots__ = ("digests",)

    def __init__(
        self,
        digests: Mapping[str, str],
        read: Callable[[str], DeliveryPlan],
        known: Mapping[str, DeliveryPlan] | None = None,
    ) -> None:
        """``digests`` holds the digest of each plan by name; ``read`` and ``known`` are as for :class:`OnDemand`."""
        super().__init__(digests, read, known)
        self.digests = digests

    def only(self, names: Collection[str]) -> KnownPlans:
        """The plans with these names, none of them read for it."""
        return KnownPlans({name: self.digests[name] for name in names}, self.__getitem__)


def known_plans(plans: Mapping[str, DeliveryPlan]) -> KnownPlans:
    """The same plans, with their digests."""
    if isinstance(plans, KnownPlans):
        return plans
    return KnownPlans({name: plan.digest for name, plan in plans.items()}, plans.__getitem__)
