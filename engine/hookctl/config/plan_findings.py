"""Findings about a plan, from hookctl itself and from policies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hookctl.config.check import ask_policies, field_place
from hookctl.config.diff import RemovalLimit, stopped_by
from hookctl.config.directory import CheckedDirectory
from hookctl.model import AppliedState, Finding, Plan, Webhook
from hookctl.model.finding import brief
from hookctl.model.rules.plans import AGAINST, DRIFT, HELD, PROTECTED, REMOVALS
from hookctl.plugin.calls import Plugins
from hookctl.store.records import Stopped


def check_base(base: CheckedDirectory, desired: Collection[str], only: Collection[str] = ()) -> tuple[Finding, ...]:
    """A warning for each webhook of another revision that cannot be compared, because it has errors there.

    ``desired`` are the names of the webhooks now. With ``only``, other webhooks are left out. Where an error hides the
    names of a file's webhooks, the warning is about the file.
    """
    wrong: dict[tuple[str, str], list[Finding]] = {}
    for finding in base.findings:
        if finding.is_error and (not only or not finding.webhook or finding.webhook in only):
            wrong.setdefault((finding.path, finding.webhook), []).append(finding)
    return tuple(
        _not_comparable(name, errors, "" if name in desired else "removed" if name else "unnamed")
        for (_, name), errors in wrong.items()
    )


def _not_comparable(webhook: str, errors: Sequence[Finding], variant: str) -> Finding:
    first = errors[0]
    place = first.path + (f":{first.span.line}:{first.span.column}" if first.span else "")
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return AGAINST.finding(variant, webhook=webhook, name=brief(webhook), place=place, why=first.message, more=more)


def check_drift(applied: AppliedState, stopped: Iterable[Stopped]) -> tuple[Finding, ...]:
    """Warnings about held webhooks and about changes that no apply made. ``stopped`` lists what they hold."""
    return tuple(_drift(applied, stopped))


def _drift(applied: AppliedState, stopped: Iterable[Stopped]) -> Iterator[Finding]:
    for one in stopped:
        if one.hold:
            name = one.webhook
            yield HELD.finding(webhook=name, name=name, reason=one.hold.reason, count=_held(one.deliveries))
        else:
            why = f": {one.reason}" if one.reason else ""
            yield DRIFT.finding(webhook=one.webhook, what=f"{_held(one.deliveries)}, but not by an apply{why}")
    for name, why in sorted(applied.unreadable.items()):
        yield DRIFT.finding("unreadable", webhook=name, why=why)
    if applied.is_edited:
        yield DRIFT.finding("edited")


def _held(deliveries: int) -> str:
    return f"{deliveries:,} {'delivery is' if deliveries == 1 else 'deliveries are'} held"


def check_removals(plan: Plan, limit: RemovalLimit) -> tuple[Finding, ...]:
    """A warning if the plan removes or deactivates more webhooks at once than the limit allows, or leaves none."""
    if plan.changes and next(plan.after, None) is None:
        return (REMOVALS.finding("all"),)
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
    for settings that are wrong.
    """
    return tuple(_placed(one, webhooks or {}) for one in ask_policies(plan, policies, plugins))


def _placed(finding: Finding, webhooks: Mapping[str, Webhook]) -> Finding:
    webhook = webhooks.get(finding.webhook)
    if webhook is None:
        return finding
    place = field_place(webhook, finding.pointer)
    origin = webhook.origin(place)
    return replace(finding, file=origin.file, span=origin.positions.value(place))
