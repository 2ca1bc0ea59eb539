"""The problems that the check of a template finds, and what it needs of an event type and of a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from hookctl.errors import TemplateError
from hookctl.model.source import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateProblem:
    """One problem in a template. Offsets count characters of the template's text; the end is exclusive."""

    rule: str
    """A rule id from ``hookctl.model.rules``."""
    is_error: bool
    message: str
    hint: str
    start: int
    end: int
    suggestions: tuple[str, ...] = ()
    """Did you mean: nearest first."""

    @classmethod
    def from_error(cls, error: TemplateError) -> TemplateProblem:
        """The same as a finding: an error."""
        return cls(
            rule=error.rule, is_error=True, message=error.message, hint=error.hint, start=error.start, end=error.end
        )

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
