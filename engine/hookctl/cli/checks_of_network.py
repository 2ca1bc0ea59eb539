"""What ``hookctl doctor`` says about the way that requests take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hookctl.errors import HookctlError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.report.text.doctor import Check

IGNORED = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""Variables that set a proxy for HTTPS in other programs. hookctl does not read them."""


def checks_of_network(session: Session) -> Iterator[Check]:
    """The proxy, its credentials, and variables about proxies that have no effect. Connects to nothing."""
    from hookctl.report.text.doctor import Check

    proxy = session.network().proxy
    for name in (name for name in IGNORED if os.environ.get(name)):
        if proxy:
            yield Check("proxy", "ok", f"hookctl does not read the environment variable {name}, but its own settings")
        else:
            hint = "If requests must go through a proxy, set HOOKCTL_PROXY, or proxy in hookctl.toml."
            yield Check("proxy", "warning", f"hookctl does not read the environment variable {name}", hint)
    if proxy is None:
        return
    try:
        proxy.read_credentials()
    except HookctlError as error:
        yield Check("proxy", "problem", error.message, error.hint)
    else:
        what = "resolves the names of targets and decides which addresses it connects to"
        yield Check("proxy", "ok", f"requests go through {proxy.url}, which {what}")
    if direct := sorted(
        {*session.network().connect_to, *(host for host, some in session.network().allow.items() if some)}
    ):
        yield Check("proxy", "ok", f"not through the proxy, because of connect_to or allow: {', '.join(direct)}")
