"""Objects that are read when somebody asks for more than what is known of them.

Of thousands of webhooks few have changed, and of the others nobody asks for more than a name and a digest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

set_field = object.__setattr__
"""Sets a field of a frozen object."""


class Deferred:
    """A base of dataclasses with slots and without defaults of their own."""

    __slots__ = ("_read",)
    _read: Callable[[], Self]

    @classmethod
    def _later(cls, read: Callable[[], Self]) -> Self:
        """An object that becomes what ``read`` gives when a field is asked for that was not set."""
        deferred = object.__new__(cls)
        set_field(deferred, "_read", read)
        return deferred

    if not TYPE_CHECKING:  # to a type checker every field is always there

        def __getattr__(self, missing: str) -> object:
            """A field that is not set yet: no other is looked for here."""
            names = type(self).__slots__
            if missing not in names:
                raise AttributeError(f"{type(self).__name__} has no {missing!r}")
            whole = self._read()
            for name in names:
                set_field(self, name, getattr(whole, name))
            return getattr(self, missing)
