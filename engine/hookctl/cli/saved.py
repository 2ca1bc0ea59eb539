"""The saved plan that ``apply FILE`` is given: read, verified, and checked as webhook files are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli.echo import echo
from hookctl.errors import StalePlanError, StateError

if TYPE_CHECKING:
    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.model import Finding, Plan


def saved_plan(
    ctx: click.Context,
    session: Session,
    path: Path,
    outputs: Outputs,
    key_reference: str | None,
) -> tuple[Plan, tuple[Finding, ...]]:
    """A saved plan that may be applied, if its state is still there, and the warnings about its webhooks.

    Where ``key_reference`` names a key, the signature is verified before anything in the file is used. Errors among the
    findings are written in each form asked for, and end the command.

    Raises:
        SignatureError: the plan is not signed with that key.
        StateError: the file is not a saved plan, was altered, or cannot be applied.
        StalePlanError: another hookctl, or other plugins, made it.
        SecretError: the key cannot be read.
    """
    from hookctl.cli.plan_file import load_document
    from hookctl.cli.signing_key import signing_key
    from hookctl.cli.webhook_files import exit_on_errors
    from hookctl.config.diff import check_signature, is_signed, plan_in
    from hookctl.config.saved_plan import check_saved_plan
    from hookctl.report.text.printable import printable

    key = signing_key(session, key_reference) if key_reference else None
    document = load_document(path)
    if key:
        check_signature(document, key)
    elif is_signed(document):
        echo(printable(f"{path} is signed, but the signature is not checked without --verify."), err=True)
    plan = plan_in(document)
    _require_applicable(session, plan)
    require_environment(session, plan)
    store = session.existing_store()
    applied = store.read_state().event_types if store else {}
    findings = check_saved_plan(plan, str(path), session.plugins, applied)
    exit_on_errors(ctx, session, outputs, findings, warnings_to_stderr=outputs.printed != "text")
    return plan, findings


def require_environment(session: Session, plan: Plan) -> None:
    """Raise StateError if the plan is for another environment than this run."""
    if plan.environment == session.environment.name:
        return
    both = (plan.environment, session.environment.name)
    names = [f"the environment {name!r}" if name else "no environment" for name in both]
    hint = f"Pass --environment {plan.environment}." if plan.environment else "Save a new plan for this environment."
    raise StateError(f"the plan is for {names[0]}, and this run is for {names[1]}", hint=hint)


def _require_applicable(session: Session, plan: Plan) -> None:
    """The same hookctl, and the same plugins for its webhooks, must have made the plan that would carry it out."""
    from hookctl.config.tool_versions import differences, tool_versions

    if plan.against:
        revision = f"the git revision {plan.against.ref!r}"
        raise StateError(
            f"the plan compares with {revision} instead of what is applied, so it cannot be applied",
            hint="Save one with `hookctl plan --out FILE`.",
        )
    versions = tool_versions(session.plugins, plan)
    if plan.versions != versions:
        was, now = differences(plan.versions, versions)
        raise StalePlanError(
            f"the plan is stale: it was made by {was}, and this is {now}",
            hint="Run `hookctl plan` again and review the new plan.",
        )
