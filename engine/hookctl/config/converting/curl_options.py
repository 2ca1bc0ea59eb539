"""The options of curl, and what an import makes of each."""

from __future__ import annotations

_FLAGS = {
    "G": "get", "I": "head", "L": "location", "k": "insecure", "s": "silent", "S": "show-error", "f": "fail",
    "i": "include", "v": "verbose", "N": "no-buffer", "#": "progress-bar", "g": "globoff", "0": "http1.0",
    "n": "netrc", "O": "remote-name", "J": "remote-header-name", "4": "ipv4", "6": "ipv6", "q": "disable",
    "a": "append", "R": "remote-time", "1": "tlsv1", "2": "sslv2", "3": "sslv3", "Z": "parallel",
    "j": "junk-session-cookies",
}  # fmt: skip
_VALUES = {
    "X": "request", "H": "header", "d": "data", "u": "user", "A": "user-agent", "e": "referer", "b": "cookie",
    "F": "form", "o": "output", "m": "max-time", "x": "proxy", "E": "cert", "c": "cookie-jar", "w": "write-out",
    "T": "upload-file", "K": "config", "D": "dump-header", "r": "range", "U": "proxy-user", "y": "speed-time",
    "Y": "speed-limit", "C": "continue-at", "Q": "quote", "z": "time-cond",
}  # fmt: skip
_LONG_FLAGS = (
    "compressed", "fail-with-body", "http1.1", "http2", "http2-prior-knowledge", "http3", "no-keepalive", "digest",
    "basic",
    "anyauth", "ntlm", "negotiate", "location-trusted", "tlsv1.2", "tlsv1.3", "ssl-reqd", "ssl", "path-as-is",
    "raw", "tcp-nodelay", "no-progress-meter", "retry-all-errors", "retry-connrefused", "create-dirs", "post301",
    "post302", "post303", "proto-redir", "netrc-optional", "no-alpn", "styled-output", "no-sessionid", "tcp-fastopen",
    "crlf", "fail-early", "tr-encoding", "cert-status", "xattr",
)  # fmt: skip
_LONG_VALUES = (
    "url", "json", "data-raw", "data-binary", "data-ascii", "data-urlencode", "url-query", "oauth2-bearer",
    "connect-timeout", "retry", "retry-delay", "retry-max-time", "cacert", "capath", "key", "cert-type", "key-type",
    "pass",
    "resolve", "connect-to", "aws-sigv4", "form-string", "form-escape", "max-redirs", "limit-rate", "interface",
    "trace",
    "trace-ascii", "stderr", "ciphers", "tls-max", "proto", "proto-default", "noproxy", "unix-socket", "socks5",
    "socks5-hostname", "keepalive-time", "max-filesize", "netrc-file", "pinnedpubkey", "happy-eyeballs-timeout-ms",
    "proxy-header", "variable", "expand-data", "expand-url", "expand-header", "dns-servers", "doh-url", "etag-save",
    "rate", "local-port",
)  # fmt: skip
SHORT = "".join(_FLAGS) + "".join(f"{letter}:" for letter in _VALUES)
"""For getopt: the letters of short options, with a colon after those that take a value."""
LONG = [*_FLAGS.values(), *_LONG_FLAGS, *(f"{name}=" for name in (*_VALUES.values(), *_LONG_VALUES))]
"""For getopt: the names of long options, with an equals sign after those that take a value."""
WITHOUT_EFFECT = frozenset(
    {
        *_FLAGS.values(), *_LONG_FLAGS, "output", "cookie-jar", "write-out", "dump-header", "connect-timeout",
        "retry-delay", "retry-max-time", "max-redirs", "limit-rate", "trace", "trace-ascii", "stderr", "keepalive-time",
        "speed-time", "speed-limit", "max-filesize", "happy-eyeballs-timeout-ms", "tls-max", "proto", "noproxy",
        "etag-save", "rate", "continue-at", "time-cond", "local-port", "interface",
    }
    - {"get", "head", "location", "location-trusted", "insecure", "netrc", "netrc-optional", "digest", "ntlm",
    "negotiate", "anyauth"}
)  # fmt: skip
"""Options that change nothing about the request, or what hookctl decides by itself."""
_REDIRECTS = ("hookctl does not follow redirects", "Use the URL that the target redirects to.", False)
_CERTIFICATE = (
    "the client certificate of the command is not imported",
    "Add auth of the type mtls: see `hookctl plugins`.",
    True,
)
_NETWORK = ("how to reach the target is not a setting of a webhook", "See `hookctl explain network`.", False)
_LOGIN = ("the way to authenticate is not one that hookctl has", "Add another auth: see `hookctl plugins`.", True)
_NOT_HERE = ("a part of the request that an option names is not imported", "Write it in the file by hand.", True)
ADVICE: dict[str, tuple[str, str, bool]] = {
    "location": _REDIRECTS,
    "location-trusted": _REDIRECTS,
    "insecure": (
        "hookctl always verifies the target's certificate",
        "Give a certificate authority with --cacert: see `hookctl explain network`.",
        False,
    ),
    "netrc": ("hookctl reads no .netrc file", "Add auth to the webhook.", True),
    "netrc-optional": ("hookctl reads no .netrc file", "Add auth to the webhook.", True),
    "netrc-file": ("hookctl reads no .netrc file", "Add auth to the webhook.", True),
    "retry": ("hookctl retries by the webhook's retry.schedule", "See `hookctl explain delivery`.", False),
    "ntlm": _LOGIN,
    "negotiate": _LOGIN,
    "anyauth": _LOGIN,
    "aws-sigv4": ("the command signs requests for AWS", "Add an auth plugin: see `hookctl explain plugins`.", True),
    "form": (
        "a form with files (multipart/form-data) is not a body that hookctl sends",
        "Write form, body_template or another body that the target accepts.",
        True,
    ),
    "upload-file": ("the body is a file to upload", "Write what it holds in body_template.", True),
    "config": ("a file with options is not read", "Put its options on the command line.", True),
    **dict.fromkeys(
        ("form-string", "form-escape", "variable", "expand-data", "expand-url", "expand-header"), _NOT_HERE
    ),
    **dict.fromkeys(("range", "quote", "url-query"), _NOT_HERE),
    **dict.fromkeys(("cert", "key", "cert-type", "key-type", "pass"), _CERTIFICATE),
    **dict.fromkeys(
        ("proxy", "proxy-user", "proxy-header", "cacert", "capath", "resolve", "connect-to", "unix-socket", "socks5"),
        _NETWORK,
    ),
    **dict.fromkeys(
        ("socks5-hostname", "dns-servers", "doh-url", "ciphers", "pinnedpubkey", "proto-default"), _NETWORK
    ),
}
"""What a finding says of an option: what, what to do, and whether it is an error."""


def name_of(option: str) -> str:
    """The long name of an option as getopt returns it."""
    if option.startswith("--"):
        return option[2:]
    letter = option[1:]
    return _FLAGS.get(letter) or _VALUES[letter]
