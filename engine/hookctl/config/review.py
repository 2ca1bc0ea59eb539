"""The review: what an apply would change, what it means, and everything that is wrong with it.

Only this module knows the order of the stages: check the files, read the applied state, compare, find the effects, and
run the policies. ``hookctl plan``, ``apply``, ``list`` and ``show`` call it, and so can anyone else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from hookctl.config.diff import DEFAULT_LIMIT, RemovalLimit, make_plan
from hookctl.config.directory import CheckedDirectory, check_directory, check_revision
from hookctl.config.effects import Effects, Find, Recent, Surroundings, find_effects
from hookctl.config.effects.healing import Repeat
from hookctl.config.effects.types import type_effects
from hookctl.config.events import with_defined
from hookctl.config.plan_findings import check_base, check_drift, check_policies, check_protected, check_removals
from hookctl.config.sharing import contributions
from hookctl.config.store_reader import StoreReader
from hookctl.config.tool_versions import tool_versions
from hookctl.config.type_changes import desired_types
from hookctl.errors import InvalidFilesError
from hookctl.model import (
    AppliedState,
    DefinedType,
    DeliveryPlan,
    DeliveryStatus,
    Finding,
    Json,
    Plan,
    Request,
    Severity,
    Webhook,
    has_errors,
)
from hookctl.model.delivery_plan import JITTER
from hookctl.model.nearest import unknown_webhook
from hookctl.model.quantities import counted
from hookctl.model.rules.plans import AGAINST, DRIFT, REMOVALS
from hookctl.on_demand import KnownPlans, known_plans
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import EventType

MAX_RECENT = 1000
"""The number of events, the newest, that a plan is tried on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a review is about, besides the files and the store; the options of ``hookctl plan``."""

    only: Sequence[str] = ()
    """The names of the webhooks to plan; all others are left as they are. Empty: every webhook."""
    against: str | None = None
    """The git revision to compare with; None: what is applied."""
    samples: Sequence[Mapping[str, Json]] = ()
    """Events to show the requests for; a webhook of a type that none has is shown for its mock event."""
    recent: Recent | None = None
    """Events that stand for those to come, the newest first; None: those in the store."""
    policies: Mapping[str, Any] = field(default_factory=dict)
    """The settings of each policy that is on, by name: ``[policies]`` of hookctl.toml."""
    removal_limit: RemovalLimit = DEFAULT_LIMIT
    with_effects: bool = True
    """False: only what differs is of interest, not what it means."""
    variables: Mapping[str, Json] = field(default_factory=dict)
    """The values for ``${var:NAME}`` in the files."""
    environment: str = ""
    """The name of the environment that the plan is for; empty if there is none."""
    cache: Path | None = None
    """A folder for results, as for :func:`hookctl.config.directory.check_directory`."""
    progress: Callable[[str], None] = lambda _: None
    """Called with what is being done, in a few words."""


DEFAULTS = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A plan, what it means, and what is wrong with it: everything that ``hookctl plan`` shows."""

    plan: Plan
    effects: Effects
    file_findings: tuple[Finding, ...]
    """Warnings about the webhook files."""
    plan_findings: tuple[Finding, ...]
    """What hookctl and the policies report about the plan. An error keeps it from being applied."""
    applied: AppliedState
    """What the plan starts from."""
    ignored_findings: tuple[Finding, ...] = ()
    """The warnings about the webhook files that comments in them ignore."""
    event_types: Mapping[str, EventType] = field(default_factory=dict)
    """The event types by name, as the plan leaves them."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding: about the files, then about the plan."""
        return (*self.file_findings, *self.plan_findings)

    @property
    def is_refused(self) -> bool:
        """True when the plan may not be applied."""
        return has_errors(self.plan_findings)

    @property
    def has_drift(self) -> bool:
        """True when something other than an apply changed what runs. Any apply corrects it."""
        return any(finding.rule == DRIFT.id for finding in self.plan_findings)

    @property
    def is_complete(self) -> bool:
        """False when a webhook could not be compared, so that the plan may lack a change of it."""
        unreadable = self.applied.unreadable.keys()
        return not (
            (unreadable & set(self.plan.only) if self.plan.only else unreadable)
            or any(finding.rule == AGAINST.id for finding in self.plan_findings)
        )

    def refusing_removals(self) -> Review:
        """The same review, in which too many removals at once are an error."""
        return replace(
            self,
            plan_findings=tuple(
                replace(one, severity=Severity.ERROR) if one.rule == REMOVALS.id else one for one in self.plan_findings
            ),
        )


def review(
    directory: str | PathLike[str], plugins: Plugins, store: StoreReader | None = None, options: Options = DEFAULTS
) -> Review:
    """Check the files of a directory, and review what an apply of them would change.

    Args:
        directory: where the webhook files are.
        plugins: what the files may use, and the policies.
        store: what is applied, and what waits; None: nothing is applied yet.
        options: what the review is about.

    Raises:
        InvalidFilesError: the files have errors; its ``findings`` are all that is wrong with them.
        RevisionError: git cannot read the revision to compare with.
        SettingsError: a policy does not accept its settings, or there is no policy of that name.
        HookctlError: ``only`` names a webhook that does not exist.
    """
    checked = check_directory(
        directory,
        plugins,
        cache=options.cache,
        variables=options.variables,
        progress=lambda done, files: options.progress(f"{done:,} of {files:,} files checked"),
    )
    return review_files(checked, directory, plugins, store, options)


def review_files(
    checked: CheckedDirectory,
    directory: str | PathLike[str],
    plugins: Plugins,
    store: StoreReader | None = None,
    options: Options = DEFAULTS,
) -> Review:
    """Review files that were checked before; arguments and errors are those of :func:`review`."""
    checked = checked.only(options.only)
    if not checked.valid:
        raise InvalidFilesError(checked.findings)
    options.progress(f"{counted(len(checked.plans), 'webhook')} read, comparing them")
    if options.against is not None:
        revision, base = check_revision(
            Path(directory), options.against, plugins, cache=options.cache, variables=options.variables
        )
        applied, findings, store = (
            AppliedState(plans=base.plans, event_types=base.event_types.types),
            check_base(base, checked.plans, options.only),
            None,
        )
    else:
        revision, applied = None, store.read_state() if store else AppliedState()
        findings = check_drift(applied, store.stopped(applied)) if store else ()
    for name in options.only:
        is_known = name in applied.plans or name in checked.plans
        if not is_known and not any(finding.rule == AGAINST.id and finding.webhook == name for finding in findings):
            raise unknown_webhook(name, {*applied.plans, *checked.plans})
    desired = _with_applied(checked, applied, options.only) if checked.is_partial else checked.plans
    types = desired_types(checked, applied, desired, options.only)
    plan = make_plan(applied, desired, {}, only=options.only, against=revision, event_types=types)
    plan = replace(plan, versions=tool_versions(plugins, plan), environment=options.environment)
    found = _review(plan, applied, plugins, store, options, checked=checked, findings=findings)
    return replace(found, plan=replace(plan, heal=found.effects.healing.repairs))


def _with_applied(checked: CheckedDirectory, applied: AppliedState, only: Sequence[str]) -> KnownPlans:
    """The delivery plans of the named webhooks, and for all others what is applied.

    Files that have errors may hold any of the others, so none of them counts as removed or renamed.
    """
    named, others = known_plans(checked.plans).only([*only]), known_plans(applied.plans)
    return KnownPlans({**others.digests, **named.digests}, lambda name: (named if name in named else others)[name])


def review_plan(
    plan: Plan,
    plugins: Plugins,
    store: StoreReader | None = None,
    options: Options = DEFAULTS,
    *,
    file_findings: tuple[Finding, ...] = (),
) -> Review:
    """Review a saved plan: what it means now, and what the policies report now.

    What the file says about the applied state is not believed. Of a plan that starts from anything else than what is
    applied now, which no apply carries out, only the changes are shown.
    """
    applied = store.read_state() if store else AppliedState()
    findings = check_drift(applied, store.stopped(applied)) if store else ()
    known = known_plans(applied.plans)
    if plan.serial != applied.serial or plan.digests_before != known.digests or not _same_types(plan, applied):
        nothing = Effects(changes={})
        return Review(plan=plan, effects=nothing, file_findings=file_findings, plan_findings=findings, applied=applied)
    plan = replace(plan, unchanged=known.only(plan.digests))
    return replace(_review(plan, applied, plugins, store, options, findings=findings), file_findings=file_findings)


def _review(
    plan: Plan,
    applied: AppliedState,
    plugins: Plugins,
    store: StoreReader | None,
    options: Options,
    *,
    checked: CheckedDirectory | None = None,
    findings: Sequence[Finding],
) -> Review:
    options.progress(f"{len(plan.changes):,} changes, determining their effects")
    webhooks = checked.webhooks if checked else {}
    plugins = with_defined(plugins, {**applied.event_types, **_types_after(plan, applied)})
    effects = _effects(plan, plugins, store, options)
    if checked and checked.shared:
        effects = with_contributions(effects, webhooks)
    return Review(
        plan=plan,
        effects=effects,
        file_findings=checked.findings if checked else (),
        ignored_findings=checked.ignored if checked else (),
        plan_findings=(
            *findings,
            *check_protected(plan, webhooks),
            *check_policies(plan, plugins, options.policies, webhooks),
            *check_removals(plan, options.removal_limit),
        ),
        applied=applied,
        event_types=plugins.event_types,
    )


def with_contributions(effects: Effects, webhooks: Mapping[str, Webhook]) -> Effects:
    """The effects, with what each changed webhook has from defaults."""
    changes = {
        name: replace(one, defaults=contributions(webhooks[name])) if name in webhooks else one
        for name, one in effects.changes.items()
    }
    return replace(effects, changes=changes)


def _same_types(plan: Plan, applied: AppliedState) -> bool:
    return plan.type_digests_before == {name: one.digest for name, one in applied.event_types.items()}


def _types_after(plan: Plan, applied: AppliedState) -> Mapping[str, DefinedType]:
    changed = {change.name: change.after for change in plan.event_types}
    kept = {name: one for name, one in applied.event_types.items() if name not in changed}
    return {**kept, **{name: one for name, one in changed.items() if one}}


def plan_effects(
    plan: Plan,
    plugins: Plugins,
    *,
    samples: Sequence[Mapping[str, Json]] = (),
    recent: Recent | None = None,
    waiting: Mapping[str, Mapping[DeliveryStatus, int]] | None = None,
    find: Find | None = None,
) -> Effects:
    """What a plan means: see :mod:`hookctl.config.effects`. Renders as a delivery does; sends and resolves nothing.

    Args:
        plan: what would change.
        plugins: for event types, filters and auth.
        samples: events to show requests for, as :attr:`Options.samples`.
        recent: events that stand for those to come, the newest first; None: no events are counted.
        waiting: the number of deliveries of each status, by webhook.
        find: finds deliveries that failed, which are tried again; None: none are.
    """
    if not plan.has_changes:
        return Effects(changes={})
    types = type_effects(plan, plugins.filters, recent.documents if recent else ()) if plan.event_types else ()
    if not plan.changes:
        return Effects(changes={}, types=types)
    from hookctl.delivery.rehearsal.render import render_request

    def render(webhook: DeliveryPlan, document: Mapping[str, Json]) -> Request:
        return render_request(webhook, document, plugins, delivery_id="plan", at=0.0)

    def repeating(webhook: DeliveryPlan) -> AbstractContextManager[Repeat]:
        from hookctl.delivery.rehearsal import (
            again,  # most plans have nothing to repeat, and this needs the whole engine
        )

        return again.repeating(webhook, plugins)

    around = Surroundings(
        event_types=plugins.event_types,
        auth_types=plugins.auth,
        render=render,
        jitter=JITTER,
        samples=samples,
        recent=recent,
        waiting=waiting or {},
        find=find,
        repeating=repeating,
    )
    return replace(find_effects(plan, around), types=types)


def _effects(plan: Plan, plugins: Plugins, store: StoreReader | None, options: Options) -> Effects:
    if not options.with_effects or not plan.has_changes:
        return Effects(changes={})
    recent, waiting, find = options.recent, None, None
    if store:
        waiting, find = store.counts(), store.repairable
        recent = recent or _recent(store, waiting)
    return plan_effects(plan, plugins, samples=options.samples, recent=recent, waiting=waiting, find=find)


def _recent(store: StoreReader, counts: Mapping[str, object]) -> Recent:
    """The newest events in the store. Only webhooks that have any delivery, by ``counts``, are looked up for theirs."""
    found = store.events(limit=MAX_RECENT).events
    ids = [event.id for event in found]
    return Recent(
        "the store",
        [event.document for event in found],
        [event.received_at for event in found],
        lambda webhook: store.events_with_delivery(webhook, ids) if webhook in counts else (),
    )
