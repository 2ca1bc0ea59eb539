"""Checks the webhooks of a saved plan as if they were written in files."""

from __future__ import annotations

from dataclasses import replace

from hookctl.config.check import WebhookChecker, check_names
from hookctl.config.compile import compile_webhook, written_fields
from hookctl.config.load import load_fields
from hookctl.errors import AlteredPlanError
from hookctl.model import Finding, Plan, SourceFile, Webhook, has_errors
from hookctl.model.source import NOWHERE
from hookctl.plugin.calls import Plugins


def check_saved_plan(plan: Plan, path: str, plugins: Plugins) -> tuple[Finding, ...]:
    """Everything that is wrong with the webhooks that a saved plan would apply, as if their files were checked.

    Each webhook that the plan creates, changes or renames is written back as a file has it, checked and compiled.
    So nothing is applied from a saved plan that would be refused in a file. Webhooks that stay as they are were checked
    when they were applied. Findings name ``path`` as the file.

    Raises:
        AlteredPlanError: a delivery plan in it is not one that this hookctl compiles from a webhook.
    """
    checker = WebhookChecker(plugins)
    findings: list[Finding] = []
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
    return tuple(replace(one, message=f"{one.webhook}: {one.message}", span=None) for one in findings)
