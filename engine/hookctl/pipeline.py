"""The one place that knows the order of the config stages: load, check, compile, diff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hookctl.check import check_webhooks
from hookctl.compile import compile_webhook
from hookctl.diff import make_plan
from hookctl.load import load_directory
from hookctl.model import AppliedState, DeliveryPlan, Finding, Plan, Webhook, has_errors, in_order
from hookctl.plugin.calls import Plugins


@dataclass(frozen=True, slots=True)
class Checked:
    """What a directory holds, and everything that is wrong with it."""

    webhooks: tuple[Webhook, ...]
    findings: tuple[Finding, ...]

    @property
    def valid(self) -> bool:
        """True when no finding is an error; only then may the webhooks be compiled."""
        return not has_errors(self.findings)


def check_directory(directory: Path, plugins: Plugins) -> Checked:
    """Load and check every file of a directory. Needs neither network, secrets nor state; findings, never an exception, for bad input."""
    loaded = load_directory(directory)
    findings = in_order([*loaded.findings, *check_webhooks(loaded.webhooks, plugins)])
    return Checked(tuple(loaded.webhooks), tuple(findings))


def desired_plans(checked: Checked, plugins: Plugins) -> dict[str, DeliveryPlan]:
    """The delivery plan of every webhook, by name. ``checked`` must be valid."""
    plans = (compile_webhook(webhook, plugins) for webhook in checked.webhooks)
    return {plan.name: plan for plan in plans}


def plan_directory(checked: Checked, applied: AppliedState, plugins: Plugins, versions: Mapping[str, str]) -> Plan:
    """What an apply of a valid directory would change."""
    return make_plan(applied, desired_plans(checked, plugins), versions)
