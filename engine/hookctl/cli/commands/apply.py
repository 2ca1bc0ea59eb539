"""``hookctl apply``: applies the webhook files, or a saved plan."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.options import network_options, only_option
from hookctl.cli.signing_key import key_reference
from hookctl.cli.terminal import text_width
from hookctl.errors import HookctlError, OutputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hookctl.cli.session import Session
    from hookctl.config.review import Review
    from hookctl.model import AppliedState, Plan
    from hookctl.network import Network
    from hookctl.report.formats.results import Result
    from hookctl.report.text.outcome import ApplyOutcome, Ending, Healed
    from hookctl.store.records import Lock

EPILOG = """
\b
Examples:
  hookctl apply                    show the plan, ask, and apply it
  hookctl apply --auto-approve     apply without asking: for CI, after a review
  hookctl apply --test             first send a test event to each new or changed webhook
  hookctl apply --heal             also replay the deliveries that the plan repairs
  hookctl apply --only Siem        apply only this webhook
  hookctl apply plan.json          apply exactly the plan that `hookctl plan --out plan.json` saved
  hookctl apply plan.json --verify '${env:HOOKCTL_PLAN_KEY}'
                                   apply it only if it is signed with this key
"""


@click.command("apply", epilog=EPILOG)
@click.argument("planfile", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--verify",
    metavar="KEY",
    callback=key_reference,
    help="Apply PLANFILE only if it is signed with this key, a secret reference as in `plan --sign`.",
)
@only_option
@click.option(
    "--test",
    "test_first",
    is_flag=True,
    help="First send a test event to every new or changed webhook, and apply only if all tests succeed.",
)
@click.option(
    "--allow-removals", is_flag=True, help="Also apply a plan that removes or deactivates many webhooks at once."
)
@click.option(
    "--heal",
    is_flag=True,
    help="Also replay the dead letters and retrying deliveries that the plan repairs or may repair, and no others.",
)
@click.option("--auto-approve", is_flag=True, help="Apply without asking for approval.")
@format_option("findings", "review")
@click.option(
    "--lock-timeout",
    metavar="DURATION",
    default="0s",
    callback=seconds,
    show_default=True,
    help="Wait this long while another apply holds the lock.",
)
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    planfile: Path | None,
    *,
    verify: str | None,
    only: tuple[str, ...],
    test_first: bool,
    allow_removals: bool,
    heal: bool,
    auto_approve: bool,
    outputs: Outputs,
    lock_timeout: float,
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Show the plan, ask for approval, and apply it: all changes or none.

    With PLANFILE, exactly the saved plan is applied, after the same checks as in `hookctl validate`. It is refused as
    stale if anything was applied since. With --verify, a plan that is not signed with that key is refused.

    `apply` holds a lock until it ends, including while it waits for approval. A plan that removes or deactivates many
    webhooks at once is refused without --allow-removals. With --test, test events are sent after the plan is shown and
    before the prompt; inactive webhooks are not tested.

    With --heal, the deliveries that the plan lists as repaired or perhaps repaired are replayed in the same commit.
    Those that have changed since the plan was made are left alone and counted. `hookctl log` shows it.
    """
    from hookctl.cli.approval import asking
    from hookctl.cli.locking import locked
    from hookctl.cli.review import review_options
    from hookctl.cli.saved import saved_plan
    from hookctl.cli.webhook_files import applied_state, check_files_or_exit, is_anything_applied
    from hookctl.config.review import review_files, review_plan

    if os.environ.get("HOOKCTL_APPLY_VERIFY") == "" and not verify:
        raise SettingsError(
            "the environment variable HOOKCTL_APPLY_VERIFY is empty", hint="Set it to a secret reference, or unset it."
        )
    _require_usage(planfile, verify, only)
    session: Session = ctx.obj
    network = session.network(connect_to, cacert) if test_first else None
    if planfile:
        plan, warnings = saved_plan(ctx, session, planfile, outputs, verify)
        review_now = partial(review_plan, plan, session.plugins, file_findings=warnings)
    else:
        checked = check_files_or_exit(
            ctx,
            session,
            outputs,
            warnings_to_stderr=outputs.printed != "text",
            may_be_empty=lambda: is_anything_applied(session),
            applied=partial(applied_state, session),
        )
        review_now = partial(review_files, checked, session.directory, session.plugins)
    with locked(session, "apply", lock_timeout) as lock:
        review = review_now(store=session.store, options=review_options(session, only=only))
        review = review if allow_removals else review.refusing_removals()
        ask = asking(session, review.plan.heal if heal else (), auto_approve=auto_approve)
        carry_out(ctx, review, lock, outputs, network=network, heal=heal, ask=ask)


def _require_usage(planfile: Path | None, verify: str | None, only: Sequence[str]) -> None:
    if verify and not planfile:
        raise click.UsageError("--verify needs a saved plan: hookctl apply PLANFILE --verify KEY.")
    if planfile and only:
        message = "--only cannot be combined with PLANFILE: a saved plan already says which webhooks it covers."
        raise click.UsageError(message)


def carry_out(
    ctx: click.Context,
    review: Review,
    lock: Lock,
    outputs: Outputs,
    *,
    network: Network | None = None,
    heal: bool = False,
    ask: Callable[[], bool],
) -> None:
    """Show the plan and apply it if ``ask()`` returns True. The printed JSON, and every file, reports how it ended.

    Files are written before, too: one that cannot be must keep the plan from being applied.
    """
    from hookctl.cli.approval import auto_approved
    from hookctl.cli.reports import write_review
    from hookctl.report.text.outcome import ApplyOutcome, Ending
    from hookctl.report.text.plan import render_text

    session: Session = ctx.obj
    shown, rest = outputs.apart("text")
    write_review(
        ctx,
        session,
        Outputs(tuple(output for output in outputs.outputs if output in shown.outputs or output.file)),
        review,
    )
    if not shown.outputs and ask is not auto_approved and sys.stdin.isatty():
        echo(render_text(review, color=False), nl=False, err=True)  # nobody says yes to what he has not seen
    carrying_out = _CarryingOut(session, review, lock, heal=heal, to_stderr=not shown.outputs)
    try:
        carrying_out.go(network, ask)
    except HookctlError as error:
        carrying_out.failed(ApplyOutcome(Ending.FAILED, f"Nothing was applied: {error.message}."))
        raise
    finally:
        _write_outcome(ctx, session, rest, review, carrying_out.outcome)
    ctx.exit(
        {
            Ending.APPLIED: exit_codes.OK,
            Ending.NO_CHANGES: exit_codes.OK,
            Ending.INTERRUPTED: exit_codes.INTERRUPTED,
        }.get(carrying_out.outcome.ending, 1)
    )


def _write_outcome(
    ctx: click.Context, session: Session, outputs: Outputs, review: Review, outcome: ApplyOutcome
) -> None:
    """Write how the apply ended. An error that is raised here mentions what was applied by then."""
    from hookctl.cli.reports import write_review
    from hookctl.report.text.outcome import Ending

    try:
        write_review(ctx, session, outputs, review, outcome)
    except OutputError:
        raise
    except HookctlError as error:
        if outcome.ending is not Ending.APPLIED:
            raise
        message = f"the plan was applied, but a report of it was not written: {error.message}"
        raise HookctlError(message, hint=f"Do not apply it again. {error.hint}") from error


class _CarryingOut:
    """One plan, up to the point that was reached."""

    def __init__(self, session: Session, review: Review, lock: Lock, *, heal: bool, to_stderr: bool) -> None:
        from hookctl.report.text.outcome import ApplyOutcome, Ending

        self._session, self._review, self._lock, self._to_stderr = session, review, lock, to_stderr
        self._heal = heal
        self.outcome = ApplyOutcome(Ending.INTERRUPTED, "Interrupted.")

    def go(self, network: Network | None, ask: Callable[[], bool]) -> None:
        """Test, ask and apply, and set :attr:`outcome`. Raises HookctlError."""
        from hookctl.model.quantities import counted
        from hookctl.report.text.outcome import ApplyOutcome, Ending, applied

        plan = self._review.plan
        if self._review.is_refused:
            errors = counted(sum(finding.is_error for finding in self._review.plan_findings), "error")
            return self._end(ApplyOutcome(Ending.REFUSED, f"Nothing was applied: {errors}."))
        store = self._session.store
        store.check_plan(plan)
        if not plan.has_changes and not self._review.has_drift:
            self.outcome = ApplyOutcome(Ending.NO_CHANGES, "There is nothing to apply.")
            return None
        tests, failed = self._tested(network) if network else ((), None)
        if failed:
            return self._end(
                ApplyOutcome(
                    failed,
                    f"Nothing was applied: {'a test failed' if failed is Ending.TEST_FAILED else 'interrupted'}.",
                    tests=tests,
                )
            )
        if not ask():
            return self._end(ApplyOutcome(Ending.DECLINED, "Nothing was applied.", tests=tests))
        state, healed = self._applied(plan)
        self._end(applied(plan, state.serial, tests, healed), "\n")
        store.reconcile(state)  # now, and not when the next delivery runs
        if healed:
            store.wake_runners()
        return None

    def _applied(self, plan: Plan) -> tuple[AppliedState, Healed | None]:
        """Apply the plan and, with ``--heal``, replay what it repairs."""
        from hookctl.cli.bulk import audit_entry
        from hookctl.config.load.revision import checked_out_commit
        from hookctl.report.text.outcome import Healed

        store, commit = self._session.store, checked_out_commit(self._session.directory)
        by = {"applied_by": self._lock.who, "lock_id": self._lock.id, "commit": commit}
        if not self._heal:
            return store.apply(plan, **by), None
        audit = audit_entry("heal", f"what the plan {plan.digest[:12]} repairs, serial {plan.serial + 1}", None)
        state, replayed = store.apply_and_heal(plan, audit, **by)
        return state, Healed(replayed, len(plan.heal) - replayed)

    def failed(self, outcome: ApplyOutcome) -> None:
        """Take note of an error, unless it was all done before."""
        from hookctl.report.text.outcome import Ending

        if self.outcome.ending is Ending.INTERRUPTED:
            self.outcome = outcome

    def _end(self, outcome: ApplyOutcome, before: str = "") -> None:
        from hookctl.report.text.printable import printable

        self.outcome = outcome
        echo(f"{before}{printable(outcome.message)}", err=self._to_stderr)

    def _tested(self, network: Network) -> tuple[Sequence[Result], Ending | None]:
        """Send a test event to every new or changed active webhook. Returns the results, and how a failure ends."""
        from hookctl.cli.trying import try_now
        from hookctl.model import Status
        from hookctl.report.formats.results import of_trials
        from hookctl.report.text.outcome import Ending
        from hookctl.report.text.trials import render_text

        session = self._session
        different = [
            change.after
            for change in self._review.plan.changes
            if change.after and (change.fields or not change.before) and change.after.status is Status.ACTIVE
        ]
        if not different:
            return (), None
        types = self._review.event_types
        pairs = [(one, types[name].mock) for one in different for name in one.events]
        trials, interrupted = try_now(session, pairs, network)
        echo(
            "\n" + render_text(trials, show_invocation=False, width=text_width(), color=session.color),
            nl=False,
            err=self._to_stderr,
            color=session.color,
        )
        failed = None if all(trial.succeeded for trial in trials) else Ending.TEST_FAILED
        return of_trials(trials, show_invocation=False), Ending.INTERRUPTED if interrupted else failed
