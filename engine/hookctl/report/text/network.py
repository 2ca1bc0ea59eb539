"""What commands say about the way that requests take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.report.text.printable import printable

if TYPE_CHECKING:
    from hookctl.network.proxy import Proxy


def proxy_note(proxy: Proxy) -> str:
    """That requests go through the proxy, and who then checks addresses. It names no credentials."""
    return (
        f"Requests go through the proxy {printable(proxy.url)}, "
        "which resolves the names of targets and decides which addresses it connects to."
    )
