"""One part of a third-party plugin, whose functions are called through a :class:`Containment`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from hookctl.plugin import given
from hookctl.plugin.contain import BrokenContractError, Containment, Hook, not_async
from hookctl.plugin.interfaces import Envelope
from hookctl.plugin.raised import OF_STORES

S = TypeVar("S")
Check = Callable[[Any], Any]
"""Returns the usable part of a result. Raises BrokenContractError for a result that cannot be used."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a plugin, such as its auth ``hmac``."""

    containment: Containment
    plugin: str
    what: str
    """``auth``."""
    name: str
    """``hmac``."""
    at_start: bool = False
    repeats_text: bool = False

    def hook(self, name: str, *, bounded: bool = True) -> Hook:
        """The call site of its function ``name``."""
        who = f"{self.what} {self.name} of plugin {self.plugin}"
        errors = OF_STORES if self.what == "store" else ()
        return Hook(self.plugin, who, name, bounded, self.at_start, self.repeats_text, errors)

    def function(self, name: str, function: object, check: Check) -> Callable[..., Any]:
        """``function``, contained. Raises BrokenContractError if it is not callable."""
        if not callable(function):
            what = f"the {self.what} {self.name}"
            raise BrokenContractError(f"{what}, whose {name} is not a function but {given.kind(function)}")
        hook, call = self.hook(name), self.containment.call

        def contained(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = own(args), own(kwargs)
            return call(hook, lambda *args: check(not_async(function(*args, **kwargs))), *args)

        # inspect.signature reads it to find the arguments of a filter
        contained.__wrapped__ = function  # type: ignore[attr-defined]
        return contained


def own(value: S) -> S:
    """A copy of a value whose dicts and lists are shared with others, so that no plugin can change them."""
    return cast("S", _copied(value))


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind is Envelope:
        return replace(value, headers=_copied(value.headers), data=_copied(value.data))
    if kind is dict:
        return {key: _copied(item) for key, item in value.items()}
    return kind([_copied(item) for item in value]) if kind is list or kind is tuple else value
