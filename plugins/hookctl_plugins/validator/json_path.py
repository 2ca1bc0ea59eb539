"""``json_path``: the values that an RFC 9535 path selects from the response must be among the expected values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.model import Json, Mismatch
from hookctl_plugins.validator.expected import accepted_scalars, is_accepted, kept, shown
from hookctl_plugins.validator.selection import CannotSelectError, Selection

if TYPE_CHECKING:
    from hookctl.plugin import Envelope, Validate

SHOWN = 5
"""The maximum number of mismatches that are reported for one response."""


def build(settings: Mapping[str, Json]) -> Validate:
    """The check for ``json_path``, ``expected_values`` and ``match``.

    Raises:
        TemplateError: The path is invalid, or does not start at a part of the response.
    """
    path = cast("str", settings["json_path"])
    selection = Selection(path)
    expected = cast("list[Json]", settings["expected_values"])
    accepted = accepted_scalars(expected)
    label = f"json_path {path}"
    match_any = settings.get("match") == "any"

    def validate(envelope: Envelope) -> Sequence[Mismatch]:
        try:
            found = selection.of(envelope)
        except CannotSelectError as error:
            return (Mismatch(label, str(error), path, expected),)
        if not found:
            reason = f": {envelope.not_json}" if selection.reads_body and envelope.not_json else ""
            return (Mismatch(label, f"the response has nothing at this path{reason}", path, expected),)
        wrong = [item for item in found if not is_accepted(item[1], accepted)]
        if match_any and len(wrong) < len(found):
            return ()
        reason = f"; {envelope.not_json}" if selection.reads_body and envelope.not_json else ""
        places = [(selection.place(item), item[1]) for item in wrong[:SHOWN]]
        return tuple(
            Mismatch(
                label,
                f"{place} is {shown(value)}, not {' or '.join(map(shown, expected))}{reason}",
                place,
                expected,
                kept(value),
            )
            for place, value in places
        )

    return validate
