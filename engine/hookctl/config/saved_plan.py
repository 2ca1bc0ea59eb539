"""Checks the webhooks of a saved plan as if they were written in files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from hookctl.config.check import WebhookChecker, check_names
from hookctl.config.compile import compile_webhook, written_fields
from hookctl.config.events import with_defined
from hookctl.config.load import load_fields
from hookctl.errors import AlteredPlanError
from hookctl.model import DefinedType, Finding, Plan, SourceFile, Webhook, has_errors
from hookctl.model.source import NOWHERE
from hookctl.plugin.calls import Plugins


def check_saved_plan(
    plan: Plan, path: str, plugins: Plugins, applied: Mapping[str, DefinedType]
) -> tuple[Finding, ...]:
    """Everything that is wrong with the webhooks that a saved plan would apply, as if their files were checked.

    Each webhook that the plan creates, changes or renames is written back as a file has it, checked and compiled.
    So nothing is applied from a saved plan that would be refused in a file. Webhooks that stay as they are were checked
    when they were applied. Event types are checked as their files are. Findings name ``path`` as the file; ``applied``
    are the event types that are applied now.

    Raises:
        AlteredPlanError: a delivery plan in it is not one that this hookctl compiles from a webhook.
    """
    findings = [*_of_types(plan, path)]
    changed = {change.name: change.after for change in plan.event_types}
    types = {**applied, **{name: after for name, after in changed.items() if after}}
    checker = WebhookChecker(with_defined(plugins, types))
    file = SourceFile(path, "")
    webhooks = [Webhook(file, 1, {"name": name}, NOWHERE) for name in sorted(plan.digests)]
    for after in (change.after for change in plan.changes if change.after):
        webhook = load_fields(path, written_fields(after, plugins))
        found = [webhook] if isinstance(webhook, Finding) else checker.check(webhook)
        findings += found
        if isinstance(webhook, Finding) or has_errors(found):
            continue
        webhooks.append(webhook)
        if compile_webhook(webhook, plugins).digest != after.digest:
            raise AlteredPlanError(
                f"the saved plan was altered: its entry for {after.name} is not compiled from a webhook",
                hint="Save a new plan and apply that.",
            )
    findings += check_names(webhooks)
    return tuple(
        replace(one, message=f"{one.webhook}: {one.message}", span=None) if one.webhook else one for one in findings
    )


def _of_types(plan: Plan, path: str) -> Iterator[Finding]:
    """What is wrong with the event types of the plan. Raises AlteredPlanError for one that no file defines."""
    if not plan.event_types:
        return
    from hookctl.config.events.definition import define

    for after in (change.after for change in plan.event_types if change.after):
        defined, found = define(path, after.name, json.dumps(dict(after.schema)).encode())
        yield from (replace(one, message=f"{after.name}: {one.message}", span=None, webhook="") for one in found)
        if not has_errors(found) and defined.digest != after.digest:
            raise AlteredPlanError(
                f"the saved plan was altered: its event type {after.name} is not one that a file defines",
                hint="Save a new plan and apply that.",
            )
