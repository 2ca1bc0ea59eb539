"""Rules about URLs. They hold for a webhook's ``url`` and for every setting of a plugin that is a URL."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

_GOOD = "url: https://siem.example.com/ingest"

URL_RULES = (
    Rule(
        "url-invalid",
        "The URL can be read in more than one way, or is too long.",
        "Two programs that read one URL differently send it to two places. Write the path out, without . and .. as segments.",
        "url: https://siem.example.com/a/../ingest",
        _GOOD,
    ),
    Rule(
        "url-scheme",
        "The URL does not begin with https://.",
        "Events and credentials are sent encrypted, always.",
        "url: http://siem.example.com/ingest",
        _GOOD,
    ),
    Rule(
        "url-host-missing",
        "The URL has no host.",
        "Write https://, the host's name, and the path.",
        "url: https:///ingest",
        _GOOD,
    ),
    Rule(
        "url-port",
        "The URL has a port.",
        "HTTPS is sent to port 443, so the port is left out, :443 too: one target has one spelling. For tests on this machine there is --connect-to.",
        "url: https://siem.example.com:443/ingest",
        _GOOD,
    ),
    Rule(
        "url-user-info",
        "The URL has a user name or password.",
        "They end up in logs, and can make a URL look as if it went elsewhere. Use auth with type: basic.",
        "url: https://hookctl@siem.example.com/ingest",
        _GOOD,
    ),
    Rule(
        "url-ip-literal",
        "The host is an IP address, or is read as one.",
        "A certificate is checked against a name, and numbers such as 2130706433 or 0x7f.1 are ways to write 127.0.0.1.",
        "url: https://127.0.0.1/ingest",
        _GOOD,
    ),
    Rule(
        "url-character",
        "The URL holds a character that URLs do not have.",
        "Some programs drop tabs and line breaks, others send them. Percent-encode it, or remove it.",
        "url: https://siem.example.com/in gest",
        "url: https://siem.example.com/in%20gest",
    ),
    Rule(
        "url-backslash",
        "The URL holds a backslash.",
        "Some programs read it as a slash, so that the host changes. Write / or %5C.",
        "url: https://siem.example.com\\ingest",
        _GOOD,
    ),
    Rule(
        "url-host-encoded",
        "The host is percent-encoded.",
        "Some programs decode it and some do not. Write it out.",
        "url: https://siem%2eexample.com/ingest",
        _GOOD,
    ),
    Rule(
        "url-host-invalid",
        "The host is not a host name in its one spelling.",
        "Lower case, labels of letters, digits and inner hyphens, no dot at the end, and the xn-- form for other letters. No secret reference may stand in it.",
        "url: https://SIEM.example.com/ingest",
        _GOOD,
    ),
    Rule(
        "url-fragment",
        "The URL has a fragment.",
        "What follows a # is never sent. Remove it.",
        "url: https://siem.example.com/ingest#top",
        _GOOD,
    ),
)
