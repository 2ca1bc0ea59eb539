"""Problems in a text, and what the checks of templates and conditions need of an event type and of a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from hookctl.errors import TemplateError
from hookctl.model.finding import Severity
from hookctl.model.source import Json


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem in a text, before it is known where in a file that text stands.

    ``start`` and ``end`` (exclusive) are offsets in characters into the text: a YAML document, a URL, a template or a
    condition.
    """

    rule: str
    """The id of a rule; see ``hookctl explain``."""
    message: str
    """What is wrong, in one clause."""
    hint: str
    """What to do, in one sentence."""
    start: int
    end: int
    suggestions: tuple[str, ...] = ()
    """Did you mean: nearest first."""
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """True for an error, false for a warning."""
        return self.severity is Severity.ERROR

    @classmethod
    def from_error(cls, error: TemplateError) -> Problem:
        """The same as a problem."""
        return cls(error.rule, error.message, error.hint, error.start, error.end)

    def to_error(self) -> TemplateError:
        """The same as an exception."""
        return TemplateError(self.message, hint=self.hint, rule=self.rule, start=self.start, end=self.end)


class EventSchema(Protocol):
    """What templates need of an event type; ``hookctl.plugin.EventType`` is one."""

    @property
    def name(self) -> str:
        """Such as ``anomaly``."""
        ...

    @property
    def schema(self) -> Mapping[str, Json]:
        """JSON Schema of the whole event."""
        ...

    @property
    def mock(self) -> Mapping[str, Json]:
        """A whole event that is valid by the schema."""
        ...


class Filter(Protocol):
    """What templates need of a filter; ``hookctl.plugin.FilterType`` is one."""

    @property
    def call(self) -> Callable[..., Json]:
        """A pure function: the value first, then the arguments that the template gives."""
        ...

    @property
    def takes(self) -> frozenset[str]:
        """The types of JSON Schema that it accepts; empty: any."""
        ...

    @property
    def gives(self) -> frozenset[str]:
        """The types of its result; empty: unknown."""
        ...
