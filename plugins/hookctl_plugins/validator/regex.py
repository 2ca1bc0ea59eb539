"""``regex``: the body's text, or a header, must contain a match of a regular expression, or must not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.bounded.regular_expression import PatternError, compile_pattern
from hookctl.errors import BudgetError
from hookctl.json.paths import path_text
from hookctl.model import Json, Mismatch
from hookctl.model.rules.texts import EXPRESSION_INVALID
from hookctl_plugins.validator.expected import kept, shown
from hookctl_plugins.validator.labels import regex_label

if TYPE_CHECKING:
    from hookctl.plugin import Envelope, Validate


def build(settings: Mapping[str, Json]) -> Validate:
    """The check for ``pattern``, ``header`` and ``expect``.

    Raises:
        TemplateError: The pattern is not a regular expression of RE2, or too large.
    """
    expression = cast("str", settings["pattern"])
    try:
        pattern = compile_pattern(expression)
    except PatternError as error:
        raise EXPRESSION_INVALID.error(error.start, error.end, what=error.message, fix=error.hint) from None
    header = str(settings["header"]).lower() if "header" in settings else None
    must_be_absent = settings.get("expect") == "absent"
    label = regex_label(settings)
    path = "$.data" if header is None else path_text("$", ("headers", header))
    what = "the body" if header is None else f"the header {header}"

    def validate(envelope: Envelope) -> Sequence[Mismatch]:
        text = envelope.text if header is None else envelope.headers.get(header)
        unread = "" if header is not None else envelope.problem or envelope.not_text
        if unread:
            return (Mismatch(label, f"the body cannot be checked: {unread}", path, expression),)
        if text is None:
            return (
                () if must_be_absent else (Mismatch(label, f"the response has no header {header}", path, expression),)
            )
        try:
            match = pattern.find(text, envelope.budget)
        except BudgetError as error:
            message = f"{what} cannot be checked with this pattern: {error.message}"
            return (Mismatch(label, message, path, expression),)
        if (match is None) is must_be_absent:
            return ()
        if match is not None:
            message = f"{what} contains {shown(match)}, which matches the pattern"
        else:
            is_told = header is None and envelope.not_json not in {"", "the body is not JSON"}
            message = f"{what} has no match: {envelope.not_json if is_told else f'it is {shown(text)}'}"
        return (Mismatch(label, message, path, expression, kept(text)),)

    return validate
