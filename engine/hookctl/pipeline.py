"""The one place that knows the order of the config stages: load, check, compile, diff, policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hookctl import __version__
from hookctl.check import ask_policies, check_webhooks, field_place
from hookctl.compile import compile_webhook
from hookctl.diff import make_plan
from hookctl.effects import Effects, Recent, Surroundings, find_effects
from hookctl.load import load_directory
from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus, Finding, Json, Plan, Request, SourceFile, Span, Webhook, has_errors, in_order
from hookctl.plugin import PolicyFinding
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


def plan_effects(
    plan: Plan,
    plugins: Plugins,
    *,
    samples: Sequence[Mapping[str, Json]] = (),
    recent: Recent | None = None,
    waiting: Mapping[str, Mapping[DeliveryStatus, int]] | None = None,
) -> Effects:
    """What a plan means: see :mod:`hookctl.effects`. Renders as a delivery does; sends nothing and resolves nothing.

    Args:
        plan: what would change.
        plugins: for event types, filters and auth.
        samples: events to show requests for; a webhook for whose type there is none is shown for its mock event.
        recent: events that stand for those to come, the newest first; None: nothing is said of events.
        waiting: the deliveries of each status, by webhook.
    """
    from hookctl.run.render import render_request
    from hookctl.run.retry import JITTER

    def render(webhook: DeliveryPlan, document: Mapping[str, Json]) -> Request:
        return render_request(webhook, document, plugins, delivery_id="plan", at=0.0)

    around = Surroundings(
        event_types=plugins.event_types,
        auth_types=plugins.auth,
        render=render,
        jitter=JITTER,
        samples=samples,
        recent=recent,
        waiting=waiting or {},
    )
    return find_effects(plan, around)


def never_matching(effects: Effects) -> tuple[PlanFinding, ...]:
    """A warning for each active webhook that no event can reach."""
    hint = "Compare it with `hookctl schema event NAME`, or set the webhook to `status: inactive`."
    return tuple(
        PlanFinding("never-matches", name, f"no event can match its `when`: {found.never}", hint, is_error=False)
        for name, found in effects.changes.items()
        if found.never
    )


def tool_versions(plugins: Plugins) -> dict[str, str]:
    """What makes a plan: the version of hookctl, and of each distribution that adds plugins."""
    third_party = {provider.distribution or provider.name: provider.version for provider in plugins.providers if not provider.built_in}
    return {"hookctl": __version__, **third_party}


@dataclass(frozen=True, slots=True)
class PlanFinding:
    """What a policy has to say about a plan. An error keeps the plan from being applied."""

    policy: str
    """The policy's name; ``protected`` and ``never-matches`` are hookctl's own."""
    webhook: str
    """Whose change is meant; empty where it is the whole plan."""
    message: str
    hint: str
    is_error: bool = True
    file: SourceFile | None = None
    """The webhook's file, where the plan was made of files that are at hand."""
    span: Span | None = None
    """Where in the file the field stands that is meant, or else the webhook's name."""


def check_plan(plan: Plan, plugins: Plugins, policies: Mapping[str, Any], webhooks: Iterable[Webhook] = ()) -> tuple[PlanFinding, ...]:
    """What every policy says of the plan that ``policies`` has settings for, by name: the table ``[policies]`` of hookctl.toml.

    ``webhooks`` are those that the plan was made of, so that a finding can point into their files. Raises SettingsError for settings that are wrong.
    """
    protected = [
        ("protected", PolicyFinding(name, "a protected webhook is never removed by an apply", "Bring its file back, or apply `protected: false` first."))
        for name in plan.protected_removals
    ]
    by_name = {webhook.name: webhook for webhook in webhooks}
    return tuple(_placed(policy, said, by_name.get(said.webhook)) for policy, said in [*protected, *ask_policies(plan, policies, plugins)])


def _placed(policy: str, said: PolicyFinding, webhook: Webhook | None) -> PlanFinding:
    file, span = (webhook.file, webhook.positions.value(field_place(webhook, said.pointer))) if webhook else (None, None)
    return PlanFinding(policy, said.webhook, said.message, said.hint, said.is_error, file, span)
