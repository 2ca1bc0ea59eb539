"""Rules about URLs. They hold for a webhook's ``url`` and for every setting of a plugin that is a URL."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

_GOOD = "url: https://siem.example.com/ingest"

URL_INVALID = Rule(
    id="url-invalid",
    summary="The URL is ambiguous or too long.",
    explanation=(
        "If two programs read a URL differently, they send to different places. Write the path in full, "
        "without the segments . and .."
    ),
    message="the URL is ambiguous",
    hint="Write https://host.example/path.",
    variants={
        "long": ("the URL is longer than {limit} characters", "Shorten it."),
        "dots": ("some clients drop the segments . and .. before they send", "Write the path without them."),
    },
    bad="url: https://siem.example.com/a/../ingest",
    good=_GOOD,
)

URL_SCHEME = Rule(
    id="url-scheme",
    summary="The URL does not begin with https://.",
    explanation="hookctl always sends events and credentials encrypted.",
    message="the URL has no scheme",
    hint="Write https:// before the host.",
    variants={
        "case": ("the scheme is not in lower case", "Write https://."),
        "other": ("the scheme is {scheme}, but hookctl sends only to https", "Write https://."),
    },
    bad="url: http://siem.example.com/ingest",
    good=_GOOD,
)

URL_HOST_MISSING = Rule(
    id="url-host-missing",
    summary="The URL has no host.",
    explanation="Write https://, the host name, and the path.",
    message="the URL has no host",
    hint="Write https://host.example/path.",
    variants={"slashes": ("two slashes and a host must follow https:", "Write https://host.example/path.")},
    bad="url: https:///ingest",
    good=_GOOD,
)

URL_PORT = Rule(
    id="url-port",
    summary="The URL has a port.",
    explanation=(
        "hookctl sends HTTPS only to port 443, so leave the port out, even :443: each target has one "
        "spelling. For tests on this machine, use --connect-to."
    ),
    message="the URL has a port",
    hint="Remove it, even :443: HTTPS is always sent to port 443.",
    bad="url: https://siem.example.com:443/ingest",
    good=_GOOD,
)

URL_USER_INFO = Rule(
    id="url-user-info",
    summary="The URL contains a user name or password.",
    explanation="They end up in logs, and can make a URL look as if it pointed elsewhere. Use auth with type: basic.",
    message="the URL contains a user name or password",
    hint="Use auth with type: basic.",
    bad="url: https://hookctl@siem.example.com/ingest",
    good=_GOOD,
)

URL_IP_LITERAL = Rule(
    id="url-ip-literal",
    summary="The host is an IP address, or some programs read it as one.",
    explanation=(
        "A certificate is checked against a name. Numbers such as 2130706433 or 0x7f.1 are other spellings of"
        " 127.0.0.1."
    ),
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
    summary="The URL contains a character that is not valid in URLs.",
    explanation=(
        "Some programs drop tabs and line breaks, and others send them. Percent-encode the character, or remove it."
    ),
    message="the URL contains {character}",
    hint="Percent-encode it.",
    variants={
        "control": ("the URL contains {character}", "Remove it."),
        "host": ("the host contains {character}", "Remove it."),
        "variable": (
            "{text} is neither a secret reference nor an expression",
            "Write ${{env:NAME}} for a secret, or {{{{ data.field }}}} for a value of the event.",
        ),
        "percent": ("two hexadecimal digits must follow %", "Write %25 for a percent sign."),
    },
    bad="url: https://siem.example.com/in gest",
    good="url: https://siem.example.com/in%20gest",
)

URL_BACKSLASH = Rule(
    id="url-backslash",
    summary="The URL contains a backslash.",
    explanation="Some programs read a backslash as a slash, which changes the host. Write / or %5C.",
    message="clients read a backslash in different ways",
    hint="Write / or %5C.",
    bad="url: https://siem.example.com\\ingest",
    good=_GOOD,
)

URL_HOST_ENCODED = Rule(
    id="url-host-encoded",
    summary="The host is percent-encoded.",
    explanation="Some programs decode it, and some do not. Write the host in plain letters.",
    message="the host is percent-encoded",
    hint="Write it in plain letters.",
    bad="url: https://siem%2eexample.com/ingest",
    good=_GOOD,
)

URL_HOST_INVALID = Rule(
    id="url-host-invalid",
    summary="The host is not a valid host name in its canonical spelling.",
    explanation=(
        "Write the host in lower case, with labels of letters, digits and inner hyphens, without a dot at the"
        " end, and use the xn-- form for other letters. It must not contain a secret reference."
    ),
    message="the host is not a valid host name",
    hint="Labels are letters, digits and inner hyphens, at most 63 each and 253 in all.",
    variants={
        "reference": ("a reference is allowed only in the path and the query", "Write scheme and host literally."),
        "expression": (
            "an expression is allowed only in the path and the query",
            "Write scheme and host literally: a reviewer must see who receives an event.",
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
    explanation="The part after # is never sent. Remove it.",
    message="a fragment is never sent",
    hint="Remove it.",
    bad="url: https://siem.example.com/ingest#top",
    good=_GOOD,
)
