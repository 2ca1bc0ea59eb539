"""The event fields that newly leave, grouped by the object that they are in."""

from __future__ import annotations

from hookctl.config.effects import Leaving
from hookctl.model import Json
from hookctl.report.text.printable import printable


def leaving_text(leaving: Leaving) -> str:
    """Every field, with personal data first: ``data.requester.*: email, name (personal); data.id; event_time``."""
    groups: dict[tuple[bool, str], list[str]] = {}
    personal = frozenset(leaving.personal)
    for field in leaving.fields:
        parent, dot, name = field.rpartition(".")
        # a quoted key may contain a dot, so such a path stands alone
        is_plain = bool(dot) and name.isidentifier() and '"' not in parent
        groups.setdefault((field not in personal, parent if is_plain else field), []).append(name if is_plain else "")
    return "; ".join(
        _group(parent, groups[is_other, parent], is_personal=not is_other) for is_other, parent in sorted(groups)
    )


def _group(parent: str, names: list[str], *, is_personal: bool) -> str:
    if not names[0]:
        text = parent
    elif len(names) == 1:
        text = f"{parent}.{names[0]}"
    else:
        text = f"{parent}.*: {', '.join(names)}"
    return printable(text) + (" (personal)" if is_personal else "")


def leaving_document(leaving: Leaving) -> Json:
    """The same, as ``schemas/plan.schema.json`` has it."""
    return {
        "host": leaving.host,
        "event": leaving.event,
        "fields": list(leaving.fields),
        "personal": list(leaving.personal),
    }
