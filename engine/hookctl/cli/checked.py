"""The directory's files, checked, and a webhook found by its name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.errors import HookctlError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.pipeline import Checked


def checked_directory(ctx: click.Context, session: Session, output_format: str, *, warnings_to_stderr: bool) -> Checked:
    """The files, free of errors. Shows findings, as JSON if asked for; errors among them end the command."""
    from hookctl.pipeline import check_directory
    from hookctl.report.findings import findings_json_text, findings_text

    checked = check_directory(session.directory, session.plugins)
    if not checked.valid:
        text = findings_json_text(checked.findings) if output_format == "json" else findings_text(checked.findings, color=session.color)
        click.echo(text, nl=False, color=session.color)
        ctx.exit(exit_codes.FAILED)
    if checked.findings:
        click.echo(findings_text(checked.findings, color=session.color), err=warnings_to_stderr, color=session.color)
    return checked


def unknown_webhook(name: str, known: Iterable[str]) -> HookctlError:
    """The error for a name that no webhook has, with those that it may have meant."""
    by_key = {other.casefold(): other for other in known}
    near = [key for key in by_key if key.startswith(name.casefold())][:3] or difflib.get_close_matches(name.casefold(), by_key, n=3)
    hint = f"Did you mean {', '.join(by_key[key] for key in near)}?" if near else "See `hookctl list`."
    return HookctlError(f"there is no webhook named {name!r}", hint=hint)
