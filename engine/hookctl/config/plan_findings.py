"""Findings about a plan, from hookctl itself and from policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hookctl.config.check import ask_policies, field_place
from hookctl.config.diff import RemovalLimit, stopped_by
from hookctl.config.directory import CheckedDirectory
from hookctl.model import AppliedState, Finding, Plan, Webhook
from hookctl.model.rules.plans import AGAINST, DRIFT, PROTECTED, REMOVALS
from hookctl.plugin.calls import Plugins
from hookctl.store.records import Stopped


def check_base(base: CheckedDirectory) -> tuple[Finding, ...]:
    """A warning for each webhook of another revision that cannot be compared, since its file has errors there."""
    wrong: dict[tuple[str, str], list[Finding]] = {}
    for finding in base.findings:
        if finding.is_error:
            wrong.setdefault((finding.path, finding.webhook), []).append(finding)
    return tuple(_not_comparable(name, errors) for (_, name), errors in wrong.items())


def _not_comparable(webhook: str, errors: Sequence[Finding]) -> Finding:
    first = errors[0]
    place = first.path + (f":{first.span.line}:{first.span.column}" if first.span else "")
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    what = "it is" if webhook else "a webhook is"
    return AGAINST.finding(webhook=webhook, what=what, place=place, why=first.message, more=more)


def check_drift(applied: AppliedState, stopped: Iterable[Stopped]) -> tuple[Finding, ...]:
    """Warnings about changes that no apply made. ``stopped`` lists what the store holds because of them."""
    return tuple(_drift(applied, stopped))


def _drift(applied: AppliedState, stopped: Iterable[Stopped]) -> Iterator[Finding]:
    for one in stopped:
        yield DRIFT.finding(webhook=one.webhook, what=_stopped(one))
    for name, why in sorted(applied.unreadable.items()):
        yield DRIFT.finding("unreadable", webhook=name, why=why)
    if applied.is_edited:
        yield DRIFT.finding("edited")


def _stopped(one: Stopped) -> str:
    count = f"{one.deliveries} {'delivery is' if one.deliveries == 1 else 'deliveries are'} held"
    if one.is_suspended:
        return f"{one.reason}; {count}" if one.deliveries else one.reason
    return f"{count}, but not by an apply{f': {one.reason}' if one.reason else ''}"


def check_removals(plan: Plan, limit: RemovalLimit) -> tuple[Finding, ...]:
    """A warning if the plan removes or deactivates more webhooks at once than the limit allows."""
    if not limit.is_exceeded_by(plan):
        return ()
    stopped, applied = len(stopped_by(plan)), len(plan.digests_before)
    return (REMOVALS.finding(stopped=stopped, applied=applied, percent=limit.percent),)


def check_protected(plan: Plan, webhooks: Mapping[str, Webhook] | None = None) -> tuple[Finding, ...]:
    """An error for each protected webhook that the plan removes."""
    return tuple(_placed(PROTECTED.finding(webhook=name), webhooks or {}) for name in plan.protected_removals)


def check_policies(
    plan: Plan, plugins: Plugins, policies: Mapping[str, Any], webhooks: Mapping[str, Webhook] | None = None
) -> tuple[Finding, ...]:
    """What every policy that ``policies`` has settings for reports about the plan.

    ``webhooks`` are those that the plan was made of, so that a finding can point into their files. Raises SettingsError
    for
    settings that are wrong.
    """
    return tuple(_placed(one, webhooks or {}) for one in ask_policies(plan, policies, plugins))


def _placed(finding: Finding, webhooks: Mapping[str, Webhook]) -> Finding:
    webhook = webhooks.get(finding.webhook)
    if webhook is None:
        return finding
    span = webhook.positions.value(field_place(webhook, finding.pointer))
    return replace(finding, file=webhook.file, span=span)
