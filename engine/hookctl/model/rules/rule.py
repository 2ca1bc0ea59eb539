"""What a rule is, and how findings and problems are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hookctl.errors import TemplateError
from hookctl.model.finding import Finding, Severity
from hookctl.model.problem import Problem
from hookctl.model.source import SourceFile, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: everything that a finding, ``hookctl explain`` and docs/rules.md print about it.

    ``message`` and ``hint`` are format strings. Whoever reports the rule fills in their fields by name. Where a parser
    words the message, they are ``{what}`` and ``{fix}``.
    """

    id: str
    summary: str
    """What is refused, in one line."""
    explanation: str
    """Why, and what to do."""
    message: str
    hint: str
    variants: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Message and hint of special cases, by a name for each."""
    severity: Severity = Severity.ERROR
    is_sometimes_a_warning: bool = False
    """Whether some of what it reports is only a warning, although ``severity`` says error."""
    bad: str = ""
    """Lines of a webhook that the rule refuses; empty where a file's text cannot show it."""
    good: str = ""
    """Lines of a webhook that it accepts; empty as above."""
    names_position: bool = False
    """Whether a message contains a position in a file, such as a line, which changes when the text above it changes."""

    def texts(self, variant: str = "", **fields: object) -> tuple[str, str]:
        """Message and hint of a variant, or of the rule itself, filled in.

        Raises:
            KeyError: there is no such variant, or a field is missing. A test looks at every call for both.
        """
        message, hint = self.variants[variant] if variant else (self.message, self.hint)
        return message.format_map(fields), hint.format_map(fields)

    def problem(
        self, start: int, end: int, variant: str = "", *, suggestions: Sequence[str] = (), **fields: object
    ) -> Problem:
        """The rule's problem with the characters ``start`` to ``end`` (exclusive) of a text."""
        message, hint = self.texts(variant, **fields)
        return Problem(self.id, message, hint, start, end, tuple(suggestions), self.severity)

    def error(self, start: int, end: int, variant: str = "", **fields: object) -> TemplateError:
        """The same as :meth:`problem`, as an exception to raise."""
        message, hint = self.texts(variant, **fields)
        return TemplateError(message, hint=hint, rule=self.id, start=start, end=end)

    def finding(
        self,
        variant: str = "",
        *,
        file: SourceFile | None = None,
        span: Span | None = None,
        webhook: str = "",
        suggestions: Sequence[str] = (),
        **fields: object,
    ) -> Finding:
        """The rule's finding about a place in a file, a whole file, a webhook or a plan."""
        message, hint = self.texts(variant, **fields)
        return Finding(
            rule=self.id,
            severity=self.severity,
            message=message,
            hint=hint,
            webhook=webhook,
            file=file,
            span=span,
            suggestions=tuple(suggestions),
        )
