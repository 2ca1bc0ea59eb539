"""``status``: accepts only some of the 2xx statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.model import Json, Mismatch
from hookctl_plugins.validator.labels import status_label

if TYPE_CHECKING:
    from hookctl.plugin import Envelope, Validate


def build(settings: Mapping[str, Json]) -> Validate:
    """A check that the status is one of ``codes``."""
    codes = cast("list[Json]", settings["codes"])
    label = status_label(settings)

    def validate(envelope: Envelope) -> Sequence[Mismatch]:
        if envelope.status in codes:
            return ()
        return (
            Mismatch(
                label,
                f"the status is {envelope.status}, not {' or '.join(map(str, codes))}",
                "$.status",
                codes,
                envelope.status,
            ),
        )

    return validate
