"""``hookctl test``: sends a mock event now."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli import exit_codes, recordings, scenarios
from hookctl.cli.changed_event import set_option
from hookctl.cli.completion import webhook_names
from hookctl.cli.event_file import EventFile
from hookctl.cli.formats import SIMPLE, Output, Outputs, checked, format_option
from hookctl.cli.options import event_type_option, network_options
from hookctl.cli.terminal import text_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookctl.cli.session import Session
    from hookctl.delivery.rehearsal.scenarios import Scenario
    from hookctl.delivery.rehearsal.trial import Trial
    from hookctl.model import DeliveryPlan, Json

EPILOG = """
\b
Examples:
  hookctl test                                    test every webhook
  hookctl test SiemAnomalies --show-invocation    test one; show request, response and timing
  hookctl test SiemAnomalies --event event.json   send your own event
  hookctl test --set data.severity=Medium         change a field of the mock event
  hookctl test --record                           record requests and responses
  hookctl test --replay                           compare with the recordings, offline, in CI
  hookctl test SiemAnomalies --scenario 429,slow  simulate a target that misbehaves

\b
Scenarios:
  timeout     accepts the request and never answers
  slow        starts to answer at once, and then sends single bytes without end
  reset       resets the connection instead of answering
  bad-json    answers 200 with truncated JSON
  redirect    answers 302 with another host
  300 to 599  answers with this status; 429 and 503 with Retry-After
"""


@click.command("test", epilog=EPILOG)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=webhook_names)
@click.option(
    "--event",
    metavar="FILE",
    type=EventFile(),
    help="Use the event in FILE (- for standard input) instead of the mock event.",
)
@event_type_option
@set_option
@click.option("--show-invocation", is_flag=True, help="Show the request, response, timing and verdicts of every test.")
@format_option("results")
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The same as --format junit=FILE.",
)
@click.option(
    "--record",
    is_flag=True,
    help="Save the exchange of each successful test as a vcrpy cassette, with secrets masked.",
)
@click.option(
    "--replay",
    is_flag=True,
    help="Send nothing; compare with the recorded request and validate the recorded response.",
)
@click.option(
    "--cassettes",
    metavar="DIR",
    type=Path,
    default=recordings.DIRECTORY,
    show_default=True,
    help="The directory of the recordings.",
)
@click.option(
    "--scenario",
    "played",
    metavar="NAME[,...]",
    callback=scenarios.chosen,
    help="Send nothing; simulate a target that misbehaves, on a simulated clock.",
)
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    names: tuple[str, ...],
    *,
    event: BinaryIO | None,
    event_type: str | None,
    changes: tuple[str, ...],
    show_invocation: bool,
    outputs: Outputs,
    junit: Path | None,
    record: bool,
    replay: bool,
    cassettes: Path,
    played: tuple[Scenario, ...],
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Send a mock event to the named webhooks, or to all, and report how each target answers.

    A webhook that receives several event types gets the mock event of each, or only that of --event-type.
    The webhooks are tested as they are in the files, whether or not they are applied or active. An event that a
    webhook's `when` does not let through is sent anyway, and a note says so. Nothing is queued or retried. With names,
    only the files of these webhooks must be free of errors. Exits 1 if a test fails.
    """
    from hookctl.cli.changed_event import changed_or_exit
    from hookctl.cli.reports import Reports
    from hookctl.cli.trying import try_now
    from hookctl.cli.webhook_files import check_files_or_exit, read_event
    from hookctl.report.formats.results import of_trials
    from hookctl.report.text.replays import render_kept
    from hookctl.report.text.trials import trials_json, trials_summary

    if junit:
        outputs = checked((*outputs.outputs, Output("junit", junit)))
    _require_usage(outputs, event, event_type, played, modes=record + replay + bool(played))
    session: Session = ctx.obj
    reports = Reports(outputs, show_invocation)
    wanted = check_files_or_exit(ctx, session, outputs, only=names)
    given = read_event(session, event) if event else None
    pairs = _with_events(session, _chosen(wanted.plans, names), given, event_type, named=bool(names))
    pairs = changed_or_exit(ctx, session, outputs, pairs, changes)
    if played:
        ctx.exit(scenarios.play(session, pairs, played, outputs))
    if replay:
        ctx.exit(recordings.replay(ctx, session, pairs, cassettes, wanted.webhooks, reports=reports))
    trials, interrupted = try_now(session, pairs, session.network(connect_to, cacert))
    kept = recordings.record(trials, cassettes) if record else {}
    reports.write(
        ctx,
        session,
        of_trials(trials, show_invocation=show_invocation),
        wanted.webhooks,
        summary=trials_summary(trials),
        text=partial(_text, trials, render_kept(kept, cassettes) + _proxy_note(session), show_invocation),
        json=lambda: trials_json(trials, kept),
    )
    if interrupted:
        ctx.exit(exit_codes.INTERRUPTED)
    ctx.exit(exit_codes.OK if all(trial.succeeded for trial in trials) else exit_codes.FAILED)


def _require_usage(
    outputs: Outputs, event: BinaryIO | None, event_type: str | None, played: Sequence[Scenario], *, modes: int
) -> None:
    if played and not outputs.forms <= set(SIMPLE):
        raise click.UsageError("--scenario runs no tests, so its formats are only text and json")
    if event and event_type:
        raise click.UsageError("--event names an event, which has a type; --event-type is for mock events.")
    if modes > 1:
        raise click.UsageError("--record, --replay and --scenario cannot be combined")


def _text(trials: Sequence[Trial], kept: str, show_invocation: bool, color: bool) -> str:
    from hookctl.report.text.trials import render_text

    return render_text(trials, show_invocation=show_invocation, width=text_width(), color=color) + kept


def _proxy_note(session: Session) -> str:
    from hookctl.report.text.network import proxy_note

    return f"{proxy_note(session.proxy)}\n" if session.proxy else ""


def _chosen(plans: Mapping[str, DeliveryPlan], names: Sequence[str]) -> list[DeliveryPlan]:
    """The named webhooks, or all of them. Raises HookctlError for a name that does not exist."""
    from hookctl.cli.webhook_files import named_plan
    from hookctl.model.change import by_name

    return [named_plan(plans, name) for name in dict.fromkeys(names) or sorted(plans, key=by_name)]


def _with_events(
    session: Session,
    plans: Sequence[DeliveryPlan],
    event: Mapping[str, Json] | None,
    event_type: str | None,
    *,
    named: bool,
) -> list[tuple[DeliveryPlan, Mapping[str, Json]]]:
    """Each webhook with the event, or with the mock event of each of its types, or of the one that was asked for."""
    from hookctl.cli.webhook_files import wrong_type

    if event is None:
        types = session.event_types
        pairs = [(plan, name) for plan in plans for name in plan.events if event_type in {None, name}]
        if event_type and len(pairs) < (len(plans) if named else 1):
            raise wrong_type(next(plan for plan in plans if event_type not in plan.events), event_type)
        return [(plan, types[name].mock) for plan, name in pairs]
    fitting = [plan for plan in plans if event["event_type"] in plan.events]
    unfitting = next((plan for plan in plans if plan not in fitting), None)
    if unfitting is not None and (named or not fitting):
        raise wrong_type(unfitting, str(event["event_type"]))
    return [(plan, event) for plan in fitting]
