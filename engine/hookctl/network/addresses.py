"""Decides which addresses are public, by a table that is the same on every Python version.

``ipaddress.is_global`` is not enough: it calls multicast, NAT64, 6to4 and Azure's platform address global, and changes
between versions. The table follows IANA's special-purpose registries. For IPv6 it is an allow-list: only 2000::/3 is
public, minus exceptions. Every form that contains an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) is
therefore refused without being decoded.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

BLOCKED_IPV4 = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by carriers, and cloud metadata"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "Azure's platform"),
        ("169.254.0.0/16", "link-local, and cloud metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols, and cloud metadata"),
        ("192.0.2.0/24", "for documentation"),
        ("192.31.196.0/24", "AS112 name service"),
        ("192.52.193.0/24", "multicast tunneling"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "AS112 name service"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved, and broadcast"),
    )
)
PUBLIC_IPV6 = IPv6Network("2000::/3")
BLOCKED_IPV6 = tuple(
    (IPv6Network(network), why)
    for network, why in (
        # Outside 2000::/3, and therefore refused anyway; listed for the message.
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "an IPv4 address in IPv6 form (mapped)"),
        ("::/96", "an IPv4 address in IPv6 form (compatible)"),
        ("::ffff:0:0:0/96", "an IPv4 address in IPv6 form (translated)"),
        ("64:ff9b::/96", "an IPv4 address in IPv6 form (NAT64)"),
        ("64:ff9b:1::/48", "an IPv4 address in IPv6 form (local NAT64)"),
        ("100::/64", "a black hole"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "private (unique local)"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
        # The exceptions inside 2000::/3.
        ("2001::/32", "an IPv4 address in IPv6 form (Teredo)"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "an IPv4 address in IPv6 form (6to4)"),
        ("2620:4f:8000::/48", "AS112 name service"),
        ("3ffe::/16", "no longer in use (6bone)"),
        ("3fff::/20", "for documentation"),
    )
)
_ISATAP = (0x00005EFE, 0x02005EFE)  # the upper half of an interface identifier whose lower half is an IPv4 address


def why_blocked(address: IPv4Address | IPv6Address) -> str:
    """The reason why ``address`` is not public, to complete "which is ..."; empty if it is public."""
    if isinstance(address, IPv4Address):
        return next((why for network, why in BLOCKED_IPV4 if address in network), "")
    for network, why in BLOCKED_IPV6:
        if address in network:
            return why
    if int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
        return "an IPv4 address in IPv6 form (ISATAP)"
    return "" if address in PUBLIC_IPV6 else "not in the public range 2000::/3"
