"""``header``: the response must have a header, and its value must be among the expected values if there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.json.paths import path_text
from hookctl.model import Json, Mismatch
from hookctl_plugins.validator.expected import kept, shown
from hookctl_plugins.validator.labels import header_label

if TYPE_CHECKING:
    from hookctl.plugin import Envelope, Validate


def build(settings: Mapping[str, Json]) -> Validate:
    """The check for ``name`` and ``expected_values``."""
    name = str(settings["name"]).lower()
    expected = cast("list[Json] | None", settings.get("expected_values"))
    label = header_label(settings)
    path = path_text("$", ("headers", name))

    def validate(envelope: Envelope) -> Sequence[Mismatch]:
        value = envelope.headers.get(name)
        if value is None:
            return (Mismatch(label, f"the response has no header {name}", path, expected),)
        if expected is None or value in expected:
            return ()
        message = f"the header is {shown(value)}, not {' or '.join(map(shown, expected))}"
        return (Mismatch(label, message, path, expected, kept(value)),)

    return validate
