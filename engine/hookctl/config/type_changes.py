"""The event types that a plan applies, and findings about fields that are gone while webhooks still read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hookctl.config.directory import CheckedDirectory
from hookctl.config.effects.types import readers_of
from hookctl.json.schema_fields import fields_of
from hookctl.model import AppliedState, DefinedType, DeliveryPlan, Finding, SourceFile
from hookctl.model.rules.event_types import EVENT_FIELDS_GONE
from hookctl.plugin.calls import Plugins

NAMED = 8
"""The most fields or readers that a finding names."""


def desired_types(
    checked: CheckedDirectory, applied: AppliedState, desired: Mapping[str, DeliveryPlan], only: Sequence[str]
) -> Mapping[str, DefinedType]:
    """The event types that should be applied: those of the files.

    With ``only``, those that the named webhooks receive are taken from the files, and all others stay as they are.
    """
    if not only:
        return checked.event_types.types
    named = [plans[name] for name in only for plans in (applied.plans, desired) if name in plans]
    used = {event for plan in named for event in plan.events}
    types = {name: one for name, one in applied.event_types.items() if name not in used}
    return {**types, **{name: one for name, one in checked.event_types.types.items() if name in used}}


def find_gone_fields(checked: CheckedDirectory, applied: AppliedState, plugins: Plugins) -> Iterator[Finding]:
    """An error for each changed event type that lacks fields which applied webhooks read, and still read in the files.

    For files that have errors, so that there is no plan to show it: the findings about the webhooks are then explained
    by what changed in the event type. ``plugins`` have the filters of templates.
    """
    for name, new in checked.event_types.types.items():
        old = applied.event_types.get(name)
        if old is None or old.digest == new.digest or not new.schema:
            continue
        names = {finding.webhook for finding in checked.findings if finding.is_error}
        failing = [applied.plans[one] for one in sorted(names) if one in applied.plans]
        readers = [*readers_of(old, new, failing, failing, plugins.filters)]
        if not readers:
            continue
        kept = fields_of(new.schema)
        gone = [field for field in fields_of(old.schema) if field not in kept]
        yield EVENT_FIELDS_GONE.finding(
            file=SourceFile(checked.event_types.paths[name], ""),
            event=name,
            fields=_listed(gone),
            readers=_listed([f"{one.webhook} ({one.place}: {', '.join(one.fields)})" for one in readers]),
        )


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return f"{', '.join(words[:NAMED])}{more}"
