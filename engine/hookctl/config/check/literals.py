"""Recognizes secrets that are written out: by their shape, or by the name of their field.

One table, :data:`SHAPES`, lists the shapes. Every pattern takes time in proportion to the text, because repetitions are
bounded. Patterns are compiled when a text has a mark of theirs: few texts do, and compiling all takes noticeable time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of secret that is recognized wherever it appears."""

    what: str
    """As a message names it."""
    marks: tuple[str, ...]
    """Each match contains one of them. They are searched first, because that is fast."""
    pattern: str


class Literal(NamedTuple):
    """A secret in a text. ``start`` and ``end`` (exclusive) are offsets of characters."""

    start: int
    end: int
    what: str
    """The kind of secret, if its shape is known; otherwise the name of its field."""
    has_shape: bool
    variable: str = ""
    """The name in ``$NAME``, which a shell would expand."""


SHAPES = (
    Shape("a Slack token", ("xox", "xapp-"), r"xox[a-z](?:\.xox[a-z])?-[\w-]{10,250}|xapp-[0-9]-[\w-]{10,250}"),
    Shape(
        "a secret URL of Slack",
        ("hooks.slack",),
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[0-9A-Za-z]{6,20}/[0-9A-Za-z]{6,24}/[0-9A-Za-z/]{8,80}",
    ),
    Shape(
        "a secret URL of Discord", ("/api/webhooks/",), r"discord(?:app)?\.com/api/webhooks/[0-9]{15,22}/[\w-]{40,100}"
    ),
    Shape(
        "a secret URL of Microsoft Teams",
        ("/IncomingWebhook/",),
        r"(?:webhook|outlook)\.office\.com/webhook(?:b2)?/[0-9A-Za-z@-]{36,80}/IncomingWebhook/[0-9a-f]{32}/[0-9A-Za-z-]{36}",
    ),
    Shape("a Telegram token", ("/bot", ":AA"), r"(?<![0-9])[0-9]{8,10}:AA[\w-]{33}"),
    Shape("a GitHub token", ("gh", "github_pat_"), r"gh[pousr]_[0-9A-Za-z]{36,255}|github_pat_\w{22,255}"),
    Shape("a GitLab token", ("gl",), r"gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[\w.-]{20,300}"),
    Shape("a Stripe key", ("k_live_", "k_test_"), r"[prs]k_(?:live|test)_[0-9A-Za-z]{10,250}"),
    Shape("a signing secret of webhooks", ("whsec_",), r"whsec_[0-9A-Za-z+/=]{24,100}"),
    Shape("an AWS access key", ("AKIA", "ASIA"), r"A[KS]IA[A-Z2-7]{16}(?![0-9A-Za-z])"),
    Shape(
        "a PagerDuty key",
        ("pagerduty.com/", "R0", "u+", "pdus+", "pdeu+"),
        r"events\.(?:eu\.)?pagerduty\.com/(?:integration|generic|x-ere)/[0-9A-Za-z/-]{20,90}"
        r"|R0[0-9A-Z]{30}(?![0-9A-Za-z])|u\+[\w-]{18}(?![0-9A-Za-z])|pd(?:us|eu)\+_[\w-]{20,200}",
    ),
    Shape(
        "a Datadog key",
        ("datadoghq.", "ddog-gov.com", "ddapp_", "ddpat_"),
        r"(?:datadoghq\.(?:com|eu)|ddog-gov\.com)/(?:[a-z0-9]{1,20}/){0,4}[0-9a-f]{32}(?![0-9A-Za-z])"
        r"|dd(?:app|pat)_[0-9A-Za-z]{30,100}",
    ),
    Shape("a SendGrid key", ("SG.",), r"SG\.[\w-]{16,32}\.[\w-]{16,64}"),
    Shape("a Google API key", ("AIza",), r"AIza[\w-]{35}"),
    Shape("a Google OAuth token", ("ya29.",), r"ya29\.[\w-]{20,1000}"),
    Shape("a Shopify token", ("shp",), r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    Shape(
        "an API key of OpenAI or Anthropic",
        ("sk-",),
        r"sk-(?:(?:proj|svcacct|admin|ant)-[\w-]{20,250}|[0-9A-Za-z]{48})",
    ),
    Shape("a JSON Web Token", ("eyJ",), r"eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,2000}"),
    Shape(
        "a private key",
        ("PRIVATE KEY",),
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[\w\s\\+/=:.,]{0,20000}"
        r"-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?",
    ),
)
"""The shapes that hookctl knows. The patterns are ASCII, and no letter or digit comes before a match."""

_SHAPE_OF = {mark: shape for shape in SHAPES for mark in shape.marks}
_WORDS = ("password", "passwd", "passphrase", "passcode", "token", "secret", "authorization", "cookie")
_KEYS = ("api", "app", "application", "access", "auth", "secret", "private", "shared", "signing", "encryption")
_KEYS_OF_TARGETS = ("routing", "integration", "service", "insert", "license", "genie", "webhook")
_NAME_ENDS = (*_WORDS, "credential", "credentials", *(f"{kind}key" for kind in (*_KEYS, *_KEYS_OF_TARGETS)))
_NAMES = ("pwd", "pass", "pw")
_ALL_NAMES = (*_NAME_ENDS, *_NAMES)
_NO_LETTERS = str.maketrans("", "", "_-. ")
_NOT_SECRET = frozenset(
    {"xatlassiantoken", "pagetoken", "nextpagetoken", "nexttoken", "synctoken", "continuationtoken"}
)
"""Names that look like those of secrets: Jira requires the value ``no-check`` in the first one."""
_PARAMETERS = frozenset({"key", "sig", "signature", "code", "auth"})
"""Names of URL parameters that are often those of secrets: only a long value counts, with letters and digits."""
_SHORTEST, _LONG = 4, 16
_PAIR = re.compile(
    r'(?P<quote>(?P<inner>\\{1,7})?")(?P<name>[\w .-]{2,64})(?P=quote)\s{0,40}:\s{0,40}(?P=quote)'
    r'(?=(?P<value>(?(inner)[^"\\\n]{4,4096}|(?:[^"\\\n]|\\[^\n]){4,4096})))'
)
"""A name and its value, also in JSON text in a string, where the value ends at the first backslash.

The value is only looked at: it can be JSON text with names of its own, so the next match may be in it."""
_ELEMENT = re.compile(r"<(?:[\w.-]{1,64}:)?(?P<name>[\w.-]{2,64})(?:\s[^<>]{0,400})?>(?P<value>[^<]{4,4096})")
_ASSIGNED = re.compile(
    r"""(?:^|[?&\s,;("']|\\[nrt])(?P<name>[\w.-]{1,64})=["']?(?P<value>[^&;#"'<>,\\\s]{4,4096})""", re.MULTILINE
)
"""A parameter of a URL, an attribute of XML, or a setting, in any text."""
_PARAMETER = re.compile(r"[?&;](?P<name>[^=&;#?]{1,64})=(?P<value>[^&;#]{1,4096})")
_CONSTANT = re.compile(r"\{\{-?\s{0,20}(?:'[^'{}]{0,1000}'|\"[^\"{}]{0,1000}\")\s{0,20}-?\}\}")
_EXPRESSION = re.compile(r"\{\{[^}]{0,1000}\}\}|\{%[^%]{0,1000}%\}")
_BLANK = "\0"
"""Stands for each character of an expression."""
_VARIABLE = re.compile(r"\$([A-Z][A-Z0-9_]*)")
_SCHEME = re.compile(r"(?:bearer|basic|digest|token|apikey|geniekey|splunk|key|ssws|bot)[ =:]\s*", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"[xX*.#?_\-\s0]*|<.*>|\[.*\]|\{.*\}|\(.*\)|%.*%|@.*@"
    r"|none|null|nil|true|false|yes|no|n/?a|no-?check|undefined|string|text|optional|required|unused|test"
    r"|enabled|disabled|expired|revoked|rotated|leaked|missing|(?:in)?valid|pass(?:ed)?|fail(?:ed)?|hidden|masked",
    re.DOTALL | re.IGNORECASE,
)
_PLACEHOLDER_PART = re.compile(r"example|placeholder|x{5}|\*{3}|0{8}", re.IGNORECASE)
_PLACEHOLDER_WORD = re.compile(
    r"(?:^|[^a-z])(?:change|replace|insert|enter|put|todo|tbd|here)(?![a-z])|(?:^|[^a-z])(?:your|changeme|changeit|replaceme)"
    r"|example|placeholder|dummy|redacted|x{5}|\*{3}",
    re.IGNORECASE,
)


def shapes_in(text: str) -> Iterator[Literal]:
    """Each secret of a known shape in a text."""
    for shape in {_SHAPE_OF[mark].what: _SHAPE_OF[mark] for mark in _SHAPE_OF if mark in text}.values():
        for match in _compiled(shape.pattern).finditer(text):
            if not _PLACEHOLDER_PART.search(match[0]):
                yield Literal(*match.span(), shape.what, has_shape=True)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9A-Za-z])(?:{pattern})", re.ASCII)


def in_header(name: str, value: str) -> list[Literal]:
    """The secrets in the value of a header, or of any other field with a name."""
    blanked = _blanked(value)
    named = [(name, 0, len(value))] if has_secret_name(name) else []
    pairs = _in_pairs(_ASSIGNED, blanked) if "=" in blanked else ()
    return _without_overlaps([*shapes_in(value), *_named(blanked, named), *pairs])


def in_body(text: str) -> list[Literal]:
    """The secrets in a body template of any format, in the order of the text: also those in JSON text in a string."""
    found = list(shapes_in(text))
    plain = text.lower().translate(_NO_LETTERS)
    if [name for name in _ALL_NAMES if name in plain]:
        blanked = _blanked(text)
        for pattern in (_PAIR, _ELEMENT, _ASSIGNED):
            found += _in_pairs(pattern, blanked)
    return _without_overlaps(found)


def in_url(url: str) -> list[Literal]:
    """The secrets in a URL, in the order of the text: in its path by their shape, and in parameters also by name."""
    blanked = _blanked(url)
    pairs = ((unquote(match["name"]), match) for match in _PARAMETER.finditer(blanked))
    named = [
        (name, *match.span("value"))
        for name, match in pairs
        if has_secret_name(name) or (_plain_name(name) in _PARAMETERS and _is_random(match["value"]))
    ]
    return _without_overlaps([*shapes_in(url), *_named(blanked, named)])


def has_secret_name(name: str) -> bool:
    """Whether the name of a header, a parameter or a key says that its value is a secret."""
    plain = _plain_name(name)
    return plain not in _NOT_SECRET and (plain.endswith(_NAME_ENDS) or plain in _NAMES)


def _plain_name(name: str) -> str:
    return name.lower().translate(_NO_LETTERS)


def _in_pairs(pattern: re.Pattern[str], blanked: str) -> Iterator[Literal]:
    """The values that ``pattern`` finds under names of secrets."""
    pairs = (match for match in pattern.finditer(blanked) if has_secret_name(match["name"]))
    return _named(blanked, ((match["name"], *match.span("value")) for match in pairs))


def _named(text: str, places: Iterable[tuple[str, int, int]]) -> Iterator[Literal]:
    """The secrets among the values at ``places``, each with its name and offsets in a blanked text."""
    return (literal for place in places if (literal := _of_name(text, *place)))


def _without_overlaps(literals: Iterable[Literal]) -> list[Literal]:
    """The literals in the order of the text. Of two that overlap, the one with a known shape; otherwise the first."""
    found: list[Literal] = []
    for one in sorted(literals):
        if not found or found[-1].end <= one.start:
            found.append(one)
        elif one.has_shape and not found[-1].has_shape:
            found[-1] = one
    return found


def _of_name(text: str, name: str, start: int, end: int) -> Literal | None:
    """The value in ``text[start:end]`` as a secret; None for a reference, an expression or a placeholder."""
    value = text[start:end]
    if "${" in value:
        return None  # a reference, or a finding of another rule
    bare = value.replace(_BLANK, "")
    is_mixed, value = bare != value, _SCHEME.sub("", unquote(bare).lstrip(), count=1).strip()
    if variable := _VARIABLE.fullmatch(value):
        return Literal(start, end, name, has_shape=False, variable=variable[1])
    is_prose = value.count(" ") > 1 or (is_mixed and re.fullmatch(r"[A-Za-z ]*", value) is not None)
    if len(value) < _SHORTEST or is_prose or _PLACEHOLDER.fullmatch(value) or _PLACEHOLDER_WORD.search(value):
        return None
    return Literal(start, end, name, has_shape=False)


def _is_random(value: str) -> bool:
    value = value.replace(_BLANK, "")
    return len(value) >= _LONG and re.search(r"[0-9]", value) is not None and re.search(r"[A-Za-z]", value) is not None


def _blanked(text: str) -> str:
    """The text with expressions blanked, and constants in braces without them: both at the same offsets."""
    if "{" not in text:
        return text
    bare = _CONSTANT.sub(lambda match: re.sub(r"[{}'\"\s-]", _BLANK, match[0]), text)
    return _EXPRESSION.sub(lambda match: _BLANK * len(match[0]), bare)
