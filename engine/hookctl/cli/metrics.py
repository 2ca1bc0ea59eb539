"""What ``run`` and ``serve`` count for monitoring, and the server of ``hookctl run --metrics``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hookctl.cli.small_server import ADDRESS, Reply, is_address, serving
from hookctl.errors import SettingsError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.delivery.metrics.counters import Metrics
    from hookctl.delivery.runner.listener import Listener
    from hookctl.model import AppliedState
    from hookctl.report.metrics.exposition import Exposition

OPTION = "--metrics"
TEXT = "text/plain; charset=utf-8"


def new_metrics(session: Session) -> Metrics:
    """The counters of this process, as ``[metrics]`` of hookctl.toml wants them."""
    from hookctl.delivery.metrics.counters import Metrics

    return Metrics(by_webhook=session.settings.get("metrics", {}).get("webhook_label"))


def new_exposition(session: Session, metrics: Metrics) -> Exposition:
    """Answers scrapes of these counters. Close it at the end."""
    from hookctl.report.metrics.exposition import Exposition
    from hookctl.store.opening import open_store

    return Exposition(
        metrics,
        event_types=sorted(session.plugins.event_types),
        open_store=partial(open_store, session.store_url, types=session.store_types),
    )


def counting(listener: Listener, metrics: Metrics) -> Listener:
    """A listener that also counts what the runner reports."""

    def applied(state: AppliedState) -> None:
        metrics.set_applied(state)
        listener.applied(state)

    return replace(listener, recorded=metrics.add_results, committed=metrics.add_commit, applied=applied)


@contextmanager
def publishing(target: str, session: Session, metrics: Metrics) -> Iterator[None]:
    """Inside the block, answer scrapes of ``/metrics`` at ``HOST:PORT`` or ``unix:PATH``.

    Raises SettingsError if the address cannot be used.
    """
    if not is_address(target):
        raise SettingsError(f"{OPTION}: {target} is not an address", hint="Write HOST:PORT, such as 127.0.0.1:9100.")
    exposition, is_local = new_exposition(session, metrics), _is_loopback(target)

    def answer(path: str, headers: Mapping[str, str]) -> Reply:
        if is_local and not _names_this_machine(headers.get("host", "")):
            return Reply(403, TEXT, b"The Host header does not name this machine.\n")
        if path.partition("?")[0] != "/metrics":
            return Reply(404, TEXT, b"Only /metrics is here.\n")
        body, content_type = exposition.text(headers.get("accept", ""))
        return Reply(200, content_type, body)

    with closing(exposition), serving(target, OPTION, answer):
        yield


def _is_loopback(target: str) -> bool:
    match = ADDRESS.fullmatch(target)
    return match is not None and _names_this_machine(target)


def _names_this_machine(host: str) -> bool:
    """Whether a ``Host`` header, or ``HOST:PORT``, names loopback.

    Any other name there may be one that a web page has pointed at this machine, to read its answers in a browser.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
