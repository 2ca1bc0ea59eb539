"""URL rules that allow only one spelling of a URL, so that no two parsers can interpret it differently.

A URL is accepted only if it matches one strict grammar, ``_URL``. The rest of the module only explains why a URL does
not match, so a missing explanation can never cause a URL to be accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hookctl.model import brief
from hookctl.model.problem import Problem
from hookctl.model.rules import urls as rules
from hookctl.model.secret import REFERENCE, intended, without_references

MAX_URL_LENGTH = 8192

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_END = r"(?:[/?]|\Z)"
_NUMBER = r"(?:[0-9]+|0x[0-9a-f]*)"  # getaddrinfo and browsers treat a host that ends in this as an IPv4 address
_CHARACTER = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_DOTS = rf"(?:\.|%2[eE]){{1,2}}{_END}"  # segments that some clients remove before they send a request
_URL = re.compile(
    rf"https://(?=[^/?]{{1,253}}{_END})(?P<host>(?:{_LABEL}\.)*(?!{_NUMBER}{_END}){_LABEL})"
    rf"(?P<target>(?:/(?!{_DOTS}){_CHARACTER}*)*(?:\?(?:{_CHARACTER}|[/?])*)?)"
)
_HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*(?!{_NUMBER}\Z){_LABEL}")
_NUMERIC_HOST = re.compile(rf"(?:.*\.)?{_NUMBER}\.?", re.IGNORECASE)
_BAD_CHARACTER = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]+|%(?![0-9A-Fa-f]{2})")
_BAD_IN_HOST = re.compile(r"[\x00-\x20\x7f]+")
_AFTER_AUTHORITY = re.compile(r"[/?#\\]")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?=/|\Z)", re.IGNORECASE)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_VARIABLE = re.compile(r"\$\{[^{}\s]*\}")
"""Everything that looks like a reference, such as the ``${NAME}`` of a shell."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def is_host(text: str) -> bool:
    """True for a host name that a webhook URL may have: in lower case, not an IP address, without a dot at the end."""
    return _HOST.fullmatch(text) is not None


def split_url(url: str) -> tuple[str, str] | None:
    """The host and the path with query of an accepted URL without references; None for any other URL."""
    match = _URL.fullmatch(url)
    if match is None or len(url) > MAX_URL_LENGTH:
        return None
    return match["host"], match["target"] or "/"


def as_sent(url: str) -> str:
    """An HTTPS URL as clients write it into a request: with a path, and with escapes in upper case."""
    if not url.startswith("https://"):
        return url
    before, question, query = url.partition("?")
    if "/" not in before.removeprefix("https://"):
        before += "/"
    url = f"{before}{question}{query}"
    return _ESCAPE.sub(lambda found: found[0].upper(), url) if "%" in url else url


def check_url(url: str) -> Sequence[Problem]:
    """The reasons why ``url`` cannot be the target of a webhook; empty if it can.

    Checks only the text and does not use the network. The path and query may contain references (``${scheme:key}``).
    """
    # Letters of the same length replace references, so that offsets stay valid.
    plain = without_references(url)
    if len(url) <= MAX_URL_LENGTH and _URL.fullmatch(plain) and not _host_reference(url, plain):
        return ()
    plain = _VARIABLE.sub(lambda match: "x" * len(match[0]), plain)
    problems = sorted(_explain(url, plain), key=lambda problem: problem.start)
    return problems or [rules.URL_INVALID.problem(0, len(url))]


def _host_reference(url: str, plain: str) -> tuple[int, int] | None:
    """The start and end of what looks like a reference before the path; None if there is nothing like it."""
    match = _VARIABLE.search(url)
    return match.span() if match and match.start() < _authority(plain)[1] else None


def _authority(plain: str) -> tuple[int, int]:
    """The start and end of the authority, which follows the two slashes, as the most lenient parser would find it."""
    start = plain.find("://") + 3 if "://" in plain else 0
    return start, start + len(_AFTER_AUTHORITY.split(plain[start:], maxsplit=1)[0])


def _explain(url: str, plain: str) -> Iterator[Problem]:
    if len(url) > MAX_URL_LENGTH:
        yield rules.URL_INVALID.problem(MAX_URL_LENGTH, len(url), "long", limit=MAX_URL_LENGTH)
    if (at := plain.find("\\")) >= 0:
        yield rules.URL_BACKSLASH.problem(at, at + 1)
    if (at := plain.find("#")) >= 0:
        yield rules.URL_FRAGMENT.problem(at, len(url))
    reference = _host_reference(url, plain)
    if reference:
        yield rules.URL_HOST_INVALID.problem(*reference, "reference")
        return
    for match in _VARIABLE.finditer(url):
        if not REFERENCE.fullmatch(match[0]):
            meant = intended(match[0])
            yield rules.URL_CHARACTER.problem(
                *match.span(), "variable", suggestions=(meant,) if meant else (), text=brief(match[0])
            )
    if not plain.startswith("https://"):
        yield _scheme_problem(plain)
        if not _SCHEME.match(plain) or "://" not in plain:
            yield from _character_problems(plain, 0)
            return
    start, end = _authority(plain)
    yield from _authority_problems(plain[start:end], start)
    yield from _character_problems(plain.partition("#")[0], end)
    if dots := _DOT_SEGMENT.search(re.split(r"[?#]", plain, maxsplit=1)[0], end):
        yield rules.URL_INVALID.problem(dots.start() + 1, dots.end(), "dots")


def _scheme_problem(url: str) -> Problem:
    scheme = _SCHEME.match(url)
    if url.lower().startswith("https:") and scheme:
        if url[6:].startswith("//"):
            return rules.URL_SCHEME.problem(0, 5, "case")
        return rules.URL_HOST_MISSING.problem(0, len(url), "slashes")
    if scheme and (url[scheme.end() :].startswith("//") or "." not in scheme[0]):
        return rules.URL_SCHEME.problem(0, scheme.end() - 1, "other", scheme=scheme[0][:-1])
    return rules.URL_SCHEME.problem(0, len(url))


def _authority_problems(authority: str, start: int) -> Iterator[Problem]:
    user, at_sign, host = authority.rpartition("@")
    if at_sign:
        yield rules.URL_USER_INFO.problem(start, start + len(user) + 1)
    start += len(user) + len(at_sign)
    if host.startswith("["):
        end = host.find("]") + 1 or len(host)
        yield rules.URL_IP_LITERAL.problem(start, start + end)
        host, rest, start_rest = "", host[end:], start + end
    else:
        host, colon, port = host.partition(":")
        rest, start_rest = colon + port, start + len(host)
        yield from _host_problems(host, start)
    if rest:
        yield rules.URL_PORT.problem(start_rest, start_rest + len(rest))


def _host_problems(host: str, start: int) -> Iterator[Problem]:
    end = start + len(host)
    if not host:
        yield rules.URL_HOST_MISSING.problem(max(start - 1, 0), start)
    elif is_host(host):
        return
    elif bad := _BAD_IN_HOST.search(host):
        yield rules.URL_CHARACTER.problem(start + bad.start(), start + bad.end(), "host", character=_name_of(bad[0][0]))
    elif "%" in host:
        yield rules.URL_HOST_ENCODED.problem(start, end)
    elif _NUMERIC_HOST.fullmatch(host):
        yield rules.URL_IP_LITERAL.problem(start, end, "numeric")
    elif not host.isascii():
        yield rules.URL_HOST_INVALID.problem(start, end, "ascii")
    elif host.endswith("."):
        yield rules.URL_HOST_INVALID.problem(start, end, "dot", host=host.rstrip(".").lower())
    elif is_host(host.lower()):
        yield rules.URL_HOST_INVALID.problem(start, end, "case", host=host.lower())
    else:
        yield rules.URL_HOST_INVALID.problem(start, end)


def _character_problems(plain: str, start: int) -> Iterator[Problem]:
    for bad in _BAD_CHARACTER.finditer(plain, start):
        if bad[0] == "%":
            yield rules.URL_CHARACTER.problem(bad.start(), bad.end(), "percent")
        elif bad[0].strip("\\#"):
            character = _name_of(bad[0].strip("\\")[0])
            if ord(bad[0][0]) < 0x20:
                yield rules.URL_CHARACTER.problem(bad.start(), bad.end(), "control", character=character)
            else:
                yield rules.URL_CHARACTER.problem(bad.start(), bad.end(), character=character)


def _name_of(character: str) -> str:
    names = {" ": "a space", "\t": "a tab", "\r": "a line break", "\n": "a line break", "\0": "a NUL"}
    if character in names:
        return names[character]
    return f"the character {character}" if character.isprintable() else f"the control character U+{ord(character):04X}"
