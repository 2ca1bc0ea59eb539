"""The trace that comes with the events of `send`, and whether requests carry one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hookctl.cli.echo import echo
from hookctl.cli.safety import check_observer_tables
from hookctl.cli.settings import shown

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import TraceContext


def traced_by(session: Session) -> str:
    """The name of an observer that records traces, because of which requests carry ``traceparent``; empty without one.

    Raises SettingsError if ``[observers]`` in hookctl.toml is not valid.
    """
    tables = check_observer_tables(session)
    observers = session.plugins.observers.values()
    active = [one for one in observers if one.build is None or one.name in tables]
    return next((one.name for one in active if one.records_traces), "")


def given_trace(traceparent: str | None) -> TraceContext | None:
    """The trace in ``--traceparent`` or its variable; None without one.

    The variable ``TRACESTATE`` belongs to ``TRACEPARENT``, so it counts only with the value of that. Standard error
    reports a value that is not valid, which is ignored as W3C Trace Context demands.
    """
    if not traceparent:
        return None
    from hookctl.model import read_trace

    is_from_environment = traceparent == os.environ.get("TRACEPARENT")
    found = read_trace(traceparent, os.environ.get("TRACESTATE", "") if is_from_environment else "")
    if found is None:
        message = f"Warning: the traceparent {shown(traceparent)} is not valid and is ignored."
        echo(f"{message}\n  It is 00-TRACE-SPAN-FLAGS, with 32, 16 and 2 hexadecimal digits in lower case.", err=True)
    return found
