"""What a shell proposes when the user presses Tab: names of webhooks, rules and event types, ids of deliveries.

Nothing here prints an error: it would appear in the middle of the line that is being typed. What cannot be read is not
proposed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import closing, redirect_stderr, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.errors import HookctlError

if TYPE_CHECKING:
    from hookctl.cli.session import Session

VARIABLE = "_HOOKCTL_COMPLETE"
"""Holds the shell and what it asks for, such as ``bash_complete``."""
MAX_FILES = 5000
"""Webhook files that are read, so that the shell does not have to wait."""
NEWEST = 100
"""Deliveries whose ids are proposed."""
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,126}[A-Za-z0-9])?")
"""What is proposed: text that no shell takes for anything else."""
_NAME = re.compile(rb"""^name:[ \t]*(["']?)([^"'#\r\n]*?)\1[ \t]*(?:#.*)?\r?$""", re.MULTILINE)


def is_completing() -> bool:
    """Whether this process was started by a shell's completion."""
    return os.environ.get(VARIABLE, "").endswith("_complete")


def complete(group: click.Group) -> int:
    """Print the proposals for the command line in the environment, and nothing else. Returns the exit code."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        try:
            group.main(prog_name="hookctl", standalone_mode=False)
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else exit_codes.OK
        except BaseException:  # noqa: BLE001  # a message would appear in the line that is being typed
            return exit_codes.FAILED
    return exit_codes.OK


def webhook_names(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names in the webhook files, and those of the applied webhooks."""
    session = _session(ctx)
    return _proposed([*_names_in_files(session), *_applied_names(session)], incomplete)


def topics_and_rules(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """What ``hookctl explain`` takes: pages, rules, policies, and errors of events and of the API."""
    from hookctl.cli.pages import topics
    from hookctl.config.check.catalog import RULES
    from hookctl.delivery.events.rules import EVENT_RULES
    from hookctl.model.api_problems import PROBLEMS

    return _proposed([*topics(), *RULES, *EVENT_RULES, *PROBLEMS, *_session(ctx).loaded.policies], incomplete)


def event_types(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names of the event types."""
    return _proposed(_session(ctx).loaded.event_types, incomplete)


def delivery_ids(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The short ids of the newest deliveries, as ``hookctl deliveries list`` shows them."""
    from hookctl.report.text.deliveries import SHORT_ID

    with closing(_session(ctx)) as session:
        store = session.existing_store()
        found = store.deliveries(limit=NEWEST) if store else []
    return _proposed((delivery.id[SHORT_ID] for delivery in found), incomplete)


def _session(ctx: click.Context) -> Session:
    """The settings as the command line gives them so far: the shell's question does not run the group's own code."""
    from hookctl.cli.session import open_session

    given = ctx.find_root().params
    session = open_session(
        directory=given.get("directory"),
        store=given.get("store"),
        config=given.get("config"),
        color="never",
        debug=False,
    )
    session.tolerant = True
    return session


def _names_in_files(session: Session) -> Iterator[str]:
    from hookctl.config.load.files import find_files, read_bytes

    paths = (path for path in find_files(session.directory) if isinstance(path, str))
    for path in islice(paths, MAX_FILES):
        content = read_bytes(path, session.directory)
        if isinstance(content, bytes):
            yield from (name.decode("utf-8", "replace") for _, name in _NAME.findall(content))


def _applied_names(session: Session) -> Iterable[str]:
    with suppress(HookctlError), closing(session):  # without a readable store, the names in the files remain
        store = session.existing_store()
        return [*store.read_state().plans] if store else ()
    return ()


def _proposed(names: Iterable[str], incomplete: str) -> list[str]:
    """The names that begin with ``incomplete`` in any case, each once, in order."""
    begun = incomplete.casefold()
    found = sorted({name for name in names if name.casefold().startswith(begun) and _PLAIN.fullmatch(name)})
    # Bash puts the text into the line as it is, after `read` has taken one of two backslashes; other shells quote it.
    is_bash = os.environ.get(VARIABLE, "").startswith("bash")
    return [name.replace(" ", r"\\ ") for name in found] if is_bash else found
