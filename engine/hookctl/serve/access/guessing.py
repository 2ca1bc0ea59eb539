"""Limits on attempts to guess a token: from one address, and in total. The memory that it takes is bounded."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address

WINDOW_SECONDS = 60.0
FAILURES_OF_ADDRESS = 10
FAILURES = 100
MOST_ADDRESSES = 1024


class Failures:
    """Counts attempts that failed, in windows of a minute. It belongs to the event loop."""

    def __init__(self) -> None:
        self._began = float("-inf")
        self._total = 0
        self._by_address: dict[str, int] = {}

    def wait(self, address: str) -> int:
        """The seconds for which attempts from an address are not looked at; 0: they are."""
        left = self._left()
        if not self._total:
            return 0
        if self._total < FAILURES and self._by_address.get(_network(address), 0) < FAILURES_OF_ADDRESS:
            return 0
        return max(1, math.ceil(left))

    def note(self, address: str) -> None:
        """Count a failure."""
        self._left()
        network = _network(address)
        self._total += 1
        if network in self._by_address or len(self._by_address) < MOST_ADDRESSES:
            self._by_address[network] = self._by_address.get(network, 0) + 1

    def _left(self) -> float:
        """The seconds that the current window still takes. A new one begins when it is over."""
        now = time.monotonic()
        if now - self._began >= WINDOW_SECONDS:
            self._began, self._total = now, 0
            self._by_address.clear()
        return self._began + WINDOW_SECONDS - now


def _network(address: str) -> str:
    """The address; of IPv6 its first 64 bits, since one machine has all of the others."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(IPv6Address(int(ip) >> 64 << 64))
    return str(ip)
