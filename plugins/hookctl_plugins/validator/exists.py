"""``exists``: a JSON path must select something from the response, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.model import Json, Mismatch
from hookctl_plugins.validator.expected import kept, shown
from hookctl_plugins.validator.labels import exists_label
from hookctl_plugins.validator.selection import CannotSelectError, Selection

if TYPE_CHECKING:
    from hookctl.plugin import Envelope, Validate


def build(settings: Mapping[str, Json]) -> Validate:
    """The check for ``json_path`` and ``expect``.

    Raises:
        TemplateError: The path is invalid, or does not start at a part of the response.
    """
    path = cast("str", settings["json_path"])
    selection = Selection(path)
    label = exists_label(settings)
    must_be_absent = settings.get("expect") == "absent"

    def validate(envelope: Envelope) -> Sequence[Mismatch]:
        # nothing is at any path of a page of HTML, which does not prove that the event was accepted
        if must_be_absent and selection.reads_body and envelope.not_json and not envelope.problem:
            return (Mismatch(label, f"the body cannot be checked: {envelope.not_json}", path),)
        try:
            found = selection.of(envelope)
        except CannotSelectError as error:
            return (Mismatch(label, str(error), path),)
        if not must_be_absent:
            if found:
                return ()
            reason = f": {envelope.not_json}" if selection.reads_body and envelope.not_json else ""
            return (Mismatch(label, f"the response has nothing at this path{reason}", path),)
        if not found:
            return ()
        place, value = selection.place(found[0]), found[0][1]
        return (Mismatch(label, f"{place} is {shown(value)}, but must be absent", place, None, kept(value)),)

    return validate
