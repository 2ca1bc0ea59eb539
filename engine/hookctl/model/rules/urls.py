"""Rules about URLs. They hold for a webhook's ``url`` and for every setting of a plugin that is a URL."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

_GOOD = "url: https://siem.example.com/ingest"

URL_INVALID = Rule(
    id="url-invalid",
    summary="The URL can be read in more than one way, or is too long.",
    explanation="Two programs that read one URL differently send it to two places. Write the path out, without . and .. as segments.",
    message="the URL cannot be read in one way only",
    hint="Write https://host.example/path.",
    variants={
        "long": ("the URL is longer than {limit} characters", "Shorten it."),
        "dots": ("some clients drop the segments . and .. before they send", "Write the path out."),
    },
    bad="url: https://siem.example.com/a/../ingest",
    good=_GOOD,
)

URL_SCHEME = Rule(
    id="url-scheme",
    summary="The URL does not begin with https://.",
    explanation="Events and credentials are sent encrypted, always.",
    message="the URL has no scheme",
    hint="Write https:// before the host.",
    variants={
        "case": ("the scheme is not in lower case", "Write https://."),
        "other": ("the scheme is {scheme}, and only https is sent to", "Write https://."),
    },
    bad="url: http://siem.example.com/ingest",
    good=_GOOD,
)

URL_HOST_MISSING = Rule(
    id="url-host-missing",
    summary="The URL has no host.",
    explanation="Write https://, the host's name, and the path.",
    message="the URL has no host",
    hint="Write https://host.example/path.",
    variants={"slashes": ("two slashes and a host must follow https:", "Write https://host.example/path.")},
    bad="url: https:///ingest",
    good=_GOOD,
)

URL_PORT = Rule(
    id="url-port",
    summary="The URL has a port.",
    explanation="HTTPS is sent to port 443, so the port is left out, :443 too: one target has one spelling. For tests on this machine there is --connect-to.",
    message="the URL has a port",
    hint="Remove it, :443 too; HTTPS is always sent to 443.",
    bad="url: https://siem.example.com:443/ingest",
    good=_GOOD,
)

URL_USER_INFO = Rule(
    id="url-user-info",
    summary="The URL has a user name or password.",
    explanation="They end up in logs, and can make a URL look as if it went elsewhere. Use auth with type: basic.",
    message="user name or password in the URL",
    hint="Use auth with type: basic.",
    bad="url: https://hookctl@siem.example.com/ingest",
    good=_GOOD,
)

URL_IP_LITERAL = Rule(
    id="url-ip-literal",
    summary="The host is an IP address, or is read as one.",
    explanation="A certificate is checked against a name, and numbers such as 2130706433 or 0x7f.1 are ways to write 127.0.0.1.",
    message="the host is an IP address",
    hint="Write the host's name; the certificate is checked against it.",
    variants={
        "numeric": (
            "the host is an IP address, or is read as one",
            "Write the host's name; the certificate is checked against it.",
        )
    },
    bad="url: https://127.0.0.1/ingest",
    good=_GOOD,
)

URL_CHARACTER = Rule(
    id="url-character",
    summary="The URL holds a character that URLs do not have.",
    explanation="Some programs drop tabs and line breaks, others send them. Percent-encode it, or remove it.",
    message="the URL holds {character}",
    hint="Percent-encode it.",
    variants={
        "control": ("the URL holds {character}", "Remove it."),
        "host": ("the host holds {character}", "Remove it."),
        "percent": ("a % without two hexadecimal digits after it", "Write %25 for a percent sign."),
    },
    bad="url: https://siem.example.com/in gest",
    good="url: https://siem.example.com/in%20gest",
)

URL_BACKSLASH = Rule(
    id="url-backslash",
    summary="The URL holds a backslash.",
    explanation="Some programs read it as a slash, so that the host changes. Write / or %5C.",
    message="a backslash is read in different ways by different clients",
    hint="Write / or %5C.",
    bad="url: https://siem.example.com\\ingest",
    good=_GOOD,
)

URL_HOST_ENCODED = Rule(
    id="url-host-encoded",
    summary="The host is percent-encoded.",
    explanation="Some programs decode it and some do not. Write it out.",
    message="the host is percent-encoded",
    hint="Write it out in plain letters.",
    bad="url: https://siem%2eexample.com/ingest",
    good=_GOOD,
)

URL_HOST_INVALID = Rule(
    id="url-host-invalid",
    summary="The host is not a host name in its one spelling.",
    explanation="Lower case, labels of letters, digits and inner hyphens, no dot at the end, and the xn-- form for other letters. No secret reference may stand in it.",
    message="the host is not a valid host name",
    hint="Labels are letters, digits and inner hyphens, at most 63 each and 253 in all.",
    variants={
        "reference": ("a reference may stand in the path and the query only", "Write scheme and host out."),
        "expression": (
            "an expression may stand in the path and the query only",
            "Write scheme and host out: who receives an event is reviewed, never chosen by one.",
        ),
        "ascii": ("the host is not written in ASCII", "Write its xn-- form."),
        "dot": ("the host ends with a dot", "Write {host}."),
        "case": ("the host has upper-case letters", "Write {host}."),
    },
    bad="url: https://SIEM.example.com/ingest",
    good=_GOOD,
)

URL_FRAGMENT = Rule(
    id="url-fragment",
    summary="The URL has a fragment.",
    explanation="What follows a # is never sent. Remove it.",
    message="a fragment is never sent",
    hint="Remove it.",
    bad="url: https://siem.example.com/ingest#top",
    good=_GOOD,
)
