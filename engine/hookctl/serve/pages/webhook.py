"""The page of one webhook."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from msgspec import structs

from hookctl.config.diff import change_between, field_changes
from hookctl.config.effects.targets import Targets
from hookctl.delivery.rehearsal.render import render_request
from hookctl.delivery.rehearsal.trial import lets_through
from hookctl.errors import HookctlError
from hookctl.model import Action, Change, DeliveryPlan, Plan, Status
from hookctl.model.nearest import unknown_webhook
from hookctl.plugin.added import added_by
from hookctl.report.text.fields import LONG_TEXTS, label, value
from hookctl.report.text.holds import also_ends, argument, resume_command
from hookctl.report.text.leaving import leaving_text
from hookctl.report.text.plan import change_fields
from hookctl.report.text.rendering import render_text
from hookctl.report.text.schema import field_rows
from hookctl.serve.pages.sparkline import sparkline
from hookctl.store.overviews import NO_SUMMARY

if TYPE_CHECKING:
    from hookctl.plugin import EventType
    from hookctl.plugin.calls import Plugins
    from hookctl.report.style import Line
    from hookctl.serve.context import Context
    from hookctl.serve.pages.state import Pages
    from hookctl.store.interface import Store

NEXT_TRIES = 20
"""The most deliveries that are listed with the time of their next try."""
REASONS = 5
VERSION_DIGITS = 12
"""Of a digest, where it is shown to tell plans apart."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a delivery plan, as a webhook file has it."""

    label: str
    value: str
    is_long: bool
    """Whether it is a text of many lines."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The request for the event type's mock event."""

    text: str
    error: str = ""
    """Why there is no request."""


def find(store: Store, context: Context, pages: Pages, name: str) -> dict[str, Any]:
    """What the template shows. Raises StoreError, and UnknownWebhookError if no webhook of this name is applied."""
    now = time.time()
    applied = pages.catalog.read(store)
    plan = find_plan(store, pages, name)
    hold = store.holds().get(name)
    previous = store.previous_plan(name)
    known = context.intake.event_types()
    return {
        "plan": plan,
        "is_active": plan.status is Status.ACTIVE,
        "summary": store.summaries([name]).get(name, NO_SUMMARY),
        "spark": sparkline(store.hours([name], now).get(name, ())),
        "reasons": store.reasons(name, now, REASONS),
        "next_tries": store.next_tries(name, NEXT_TRIES),
        "hold": hold,
        "resume": resume_command(name) if hold else "",
        "ends": also_ends(hold) if hold else "",
        "circuit": store.circuits().get(name),
        "applied": store.applied([name]).get(name),
        "serial": applied.serial,
        "fields": fields_of(plan),
        "types": [_type_of(plan, name, known.get(name), context.plugins) for name in plan.events],
        "leaving": leaving(plan, context.plugins),
        "hosts": hosts(plan, context.plugins),
        "previous": previous,
        "difference": difference(previous.plan, plan) if previous else (),
        "place": pages.files.find(name),
        "directory": pages.files.directory,
        "argument": argument(name),
        "digits": VERSION_DIGITS,
    }


def find_plan(store: Store, pages: Pages, name: str) -> DeliveryPlan:
    """The applied delivery plan of a webhook. Raises StoreError and UnknownWebhookError."""
    applied = pages.catalog.read(store)
    if name in applied.unreadable:
        raise unreadable(name, applied.unreadable[name])
    if name not in applied.plans:
        raise unknown_webhook(name, applied.plans)
    return applied.plans[name]


def unreadable(name: str, why: str) -> HookctlError:
    """The error for a webhook whose row in the store is damaged."""
    return HookctlError(
        f"the applied webhook {name} cannot be read: {why}",
        hint="Nothing is delivered to it until it is applied again. See `hookctl doctor`.",
    )


def fields_of(plan: DeliveryPlan) -> list[Field]:
    """Every field, as ``hookctl show`` has them."""
    whole = Change(plan.name, Action.CREATE, None, plan)
    return [
        Field(
            label(one.pointer, whole),
            str(one.after or "") if one.pointer in LONG_TEXTS else value(one.pointer, one.after),
            one.pointer in LONG_TEXTS,
        )
        for one in field_changes(whole)
    ]


def _type_of(plan: DeliveryPlan, name: str, event_type: EventType | None, plugins: Plugins) -> dict[str, Any]:
    """One event type of the webhook, as the template shows it."""
    return {
        "name": name,
        "event_type": event_type,
        "sample": sample(plan, event_type, plugins),
        "payload": field_rows(event_type.schema) if event_type else (),
    }


def sample(plan: DeliveryPlan, event_type: EventType | None, plugins: Plugins) -> Sample:
    """The request that the webhook would send for the mock event, as ``hookctl render`` prints it."""
    if event_type is None:
        return Sample("", "This server does not know the event type.")
    try:
        request = render_request(plan, event_type.mock, plugins, delivery_id="sample")
        added = added_by(plan.auth, plugins.auth)
        request = structs.replace(request, headers=added.put_into(request.headers))
        would_be_sent = lets_through(plan, event_type.mock)
        return Sample(render_text(plan, request, added.unsaid, would_be_sent=would_be_sent, color=False))
    except HookctlError as error:
        return Sample("", error.message)


def difference(before: DeliveryPlan, after: DeliveryPlan) -> Sequence[Line]:
    """The lines in which two delivery plans of one webhook differ, as a plan shows them."""
    return [*change_fields(change_between(after.name, before, after))]


def leaving(plan: DeliveryPlan, plugins: Plugins) -> str:
    """The event fields that the webhook sends to its host, with personal data first; empty if it sends none."""
    found = _targets(plan, plugins).leaving(replace(plan, status=Status.ACTIVE))
    texts = [(one.event, leaving_text(one)) for one in found]
    return "; ".join(text if len(plan.events) == 1 else f"{event}: {text}" for event, text in texts)


def hosts(plan: DeliveryPlan, plugins: Plugins) -> Sequence[str]:
    """The hosts that the webhook connects to, token endpoints among them."""
    return _targets(plan, plugins).new_hosts(replace(plan, status=Status.ACTIVE))


def _targets(plan: DeliveryPlan, plugins: Plugins) -> Targets:
    """The targets of a plan that starts from nothing, so that everything counts."""
    whole = Change(plan.name, Action.CREATE, None, plan)
    nothing: Mapping[str, Any] = {}
    return Targets(Plan(0, (whole,), nothing, nothing, nothing), plugins.event_types, plugins.auth)
