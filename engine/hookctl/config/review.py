"""The one place that knows the order of the config stages: load, check, compile, diff, policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookctl._version import __version__
from hookctl.config.check import Checker, ask_policies, check_names, field_place
from hookctl.config.compile import compile_webhook, written_fields
from hookctl.config.diff import RemovalLimit, make_plan, stopped_by
from hookctl.config.directory import Checked, check_files
from hookctl.config.effects import Effects, Recent, Surroundings, find_effects
from hookctl.config.load import load_fields
from hookctl.errors import AlteredPlanError
from hookctl.model import (
    AppliedState,
    DeliveryPlan,
    DeliveryStatus,
    Finding,
    Json,
    Plan,
    Request,
    Revision,
    SourceFile,
    Span,
    Webhook,
    has_errors,
)
from hookctl.model.delivery_plan import JITTER
from hookctl.model.quantities import counted
from hookctl.model.source import NOWHERE
from hookctl.plugin import PolicyFinding
from hookctl.plugin.calls import Plugins

if TYPE_CHECKING:
    from hookctl.config.cache import Outlines
    from hookctl.store.interface import Stopped


def plan_directory(
    checked: Checked,
    applied: AppliedState,
    versions: Mapping[str, str],
    *,
    only: Sequence[str] = (),
    against: Revision | None = None,
) -> Plan:
    """What an apply of a valid directory would change; see :func:`hookctl.config.diff.make_plan` for ``only`` and ``against``."""
    return make_plan(applied, checked.plans, versions, only=only, against=against)


@dataclass(frozen=True, slots=True)
class Base:
    """What a git revision says, to compare with."""

    revision: Revision
    plans: Mapping[str, DeliveryPlan]
    findings: tuple[PlanFinding, ...]
    """Warnings about webhooks that cannot be compared, since their files have errors there; ``plans`` has none of them."""


def check_revision(directory: Path, ref: str, plugins: Plugins, *, cache: Path | None = None) -> Base:
    """Load, check and compile a directory as it is in a git revision. Raises RevisionError; what is wrong in the files is a warning.

    ``cache``: where results for the directory's files are kept, so that only those that differ from them are checked.
    """
    from hookctl.config.load.revision import read_revision

    found = read_revision(directory, ref)
    readable = check_files(found.files, directory, plugins, cache)
    return Base(
        found.revision,
        readable.plans,
        tuple(_unreadable(name, errors) for (_, name), errors in readable.errors.items()),
    )


AGAINST = "against"
"""The name under which a webhook is found that cannot be compared."""


def _unreadable(webhook: str, errors: Sequence[Finding]) -> PlanFinding:
    first = errors[0]
    place = f"{first.file.path}:{first.span.line}:{first.span.column}" if first.span else first.file.path
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    what = "what it holds is" if not webhook else "it is"
    message = (
        f"{what} compared as if it had not been there, since its file had an error: {place}: {first.message}{more}"
    )
    return PlanFinding(
        AGAINST,
        webhook,
        message,
        "Compare with a revision without errors, or read its change as a whole.",
        is_error=False,
    )


DRIFT = "drift"
"""The name under which it is found that something else than an apply has changed what runs."""


def check_drift(applied: AppliedState, stopped: Iterable[Stopped]) -> tuple[PlanFinding, ...]:
    """Warnings about what an apply did not do: ``stopped`` is what the queue holds otherwise.

    An apply puts it right, with or without changes.
    """
    found = [
        PlanFinding(
            DRIFT, one.webhook, _stopped(one), "An apply ends that, whether it changes anything or not.", is_error=False
        )
        for one in stopped
    ]
    for name, why in sorted(applied.unreadable.items()):
        hint = "An apply of all files puts what its file says in place, or removes it where there is no file."
        found.append(PlanFinding(DRIFT, name, f"is applied and cannot be read: {why}", hint, is_error=False))
    if applied.is_edited:
        message = "the applied webhooks are not those that the last apply left: the store was changed by other means"
        found.append(
            PlanFinding(DRIFT, "", message, "Compare this plan with what you expect to be applied.", is_error=False)
        )
    return tuple(found)


def _stopped(one: Stopped) -> str:
    count = f"{counted(one.deliveries, 'delivery is', 'deliveries are')} held"
    if one.is_suspended:
        return f"{one.reason}; {count}" if one.deliveries else one.reason
    return f"{count} by other means than an apply{f': {one.reason}' if one.reason else ''}"


REMOVALS = "removals"
"""The name under which too many removals at once are found."""


def check_removals(plan: Plan, limit: RemovalLimit, *, is_error: bool) -> tuple[PlanFinding, ...]:
    """A finding if the plan removes or deactivates more than the limit allows at once."""
    if not limit.is_exceeded_by(plan):
        return ()
    stopped, applied = stopped_by(plan), sum(change.before is not None for change in plan.changes)
    message = (
        f"{len(stopped)} of {applied} webhooks would be removed or go inactive at once, more than {limit.percent:g} %"
    )
    return (PlanFinding(REMOVALS, "", message, "If that is meant: hookctl apply --allow-removals", is_error),)


def check_saved(plan: Plan, path: str, plugins: Plugins) -> tuple[Finding, ...]:
    """Everything that is wrong with the webhooks that a saved plan would apply, as if their files were checked.

    Each webhook that the plan creates, changes or renames is written back as a file has it, checked and compiled.
    So nothing is applied from a saved plan that would be refused in a file. Webhooks that stay as they are were checked
    when they were applied. Findings name ``path`` as the file.

    Raises:
        AlteredPlanError: a delivery plan in it is not one that this hookctl compiles from a webhook.
    """
    checker = Checker(plugins)
    findings: list[Finding] = []
    file = SourceFile(path, "")
    webhooks = [Webhook(file, 1, {"name": name}, NOWHERE) for name in sorted(plan.changes.unchanged)]
    for after in (change.after for change in plan.changed if change.after):
        webhook = load_fields(path, written_fields(after, plugins))
        found = [webhook] if isinstance(webhook, Finding) else checker.check(webhook)
        findings += found
        if isinstance(webhook, Finding) or has_errors(found):
            continue
        webhooks.append(webhook)
        if compile_webhook(webhook, plugins).digest != after.digest:
            raise AlteredPlanError(
                f"the saved plan was altered: what it holds for {after.name} is not compiled from a webhook",
                hint="Plan again and apply what that says.",
            )
    findings += check_names(webhooks)
    return tuple(replace(one, message=f"{one.webhook}: {one.message}", span=None) for one in findings)


def plan_effects(
    plan: Plan,
    plugins: Plugins,
    *,
    samples: Sequence[Mapping[str, Json]] = (),
    recent: Recent | None = None,
    waiting: Mapping[str, Mapping[DeliveryStatus, int]] | None = None,
    outlines: Outlines | None = None,
) -> Effects:
    """What a plan means: see :mod:`hookctl.config.effects`. Renders as a delivery does; sends nothing and resolves nothing.

    Args:
        plan: what would change.
        plugins: for event types, filters and auth.
        samples: events to show requests for; a webhook for whose type there is none is shown for its mock event.
        recent: events that stand for those to come, the newest first; None: nothing is said of events.
        waiting: the deliveries of each status, by webhook.
        outlines: what is known of new webhooks from earlier plans; what this plan had to work out is saved there.
    """
    if not plan.has_changes:
        return Effects(changes={})
    from hookctl.delivery.rehearsal.render import render_request

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
        outlines=outlines,
    )
    effects = find_effects(plan, around)
    if outlines:
        outlines.save()
    return effects


def tool_versions(plugins: Plugins) -> dict[str, str]:
    """What makes a plan: the version of hookctl, and of each distribution that adds plugins."""
    third_party = {
        provider.distribution or provider.name: provider.version
        for provider in plugins.providers
        if not provider.built_in
    }
    return {"hookctl": __version__, **third_party}


@dataclass(frozen=True, slots=True)
class PlanFinding:
    """What a policy has to say about a plan. An error keeps the plan from being applied."""

    policy: str
    """The policy's name, or a rule's: what hookctl itself says, and no policy may be called."""
    webhook: str
    """Whose change is meant; empty where it is the whole plan."""
    message: str
    hint: str
    is_error: bool = True
    file: SourceFile | None = None
    """The webhook's file, where the plan was made of files that are at hand."""
    span: Span | None = None
    """Where in the file the field stands that is meant, or else the webhook's name."""


PROTECTED = "protected"
"""The name under which the removal of a protected webhook is found."""


def check_plan(
    plan: Plan, plugins: Plugins, policies: Mapping[str, Any], webhooks: Iterable[Webhook] = ()
) -> tuple[PlanFinding, ...]:
    """What every policy says of the plan that ``policies`` has settings for, by name: the table ``[policies]`` of hookctl.toml.

    ``webhooks`` are those that the plan was made of, so that a finding can point into their files. Raises SettingsError for settings that are wrong.
    """
    protected = [
        (
            PROTECTED,
            PolicyFinding(
                name,
                "a protected webhook is never removed by an apply",
                "Bring its file back, or apply `protected: false` first.",
            ),
        )
        for name in plan.protected_removals
    ]
    said = [*protected, *ask_policies(plan, policies, plugins)]
    by_name = {webhook.name: webhook for webhook in webhooks} if said else {}
    return tuple(_placed(policy, one, by_name.get(one.webhook)) for policy, one in said)


def _placed(policy: str, said: PolicyFinding, webhook: Webhook | None) -> PlanFinding:
    file, span = (
        (webhook.file, webhook.positions.value(field_place(webhook, said.pointer))) if webhook else (None, None)
    )
    return PlanFinding(policy, said.webhook, said.message, said.hint, said.is_error, file, span)
