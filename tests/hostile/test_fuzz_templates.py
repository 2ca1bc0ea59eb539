"""Random templates with hostile values: no event changes the structure of a body, and none takes long.

``make test`` tries a few, always the same. ``make fuzz TEMPLATES=100000`` tries as many as it is given, new ones each
time unless SEED is set.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from hookctl.errors import RenderError
from hookctl.plugin import EventType
from hookctl.template import check_body, compile_body

TEMPLATES = int(os.environ.get("FUZZ_TEMPLATES", "600"))
SEED = os.environ.get("FUZZ_SEED") or ("1" if "FUZZ_TEMPLATES" not in os.environ else str(time.time_ns()))
PARTS = 20
"""Tests that share the templates, so that they run on several cores."""
MAX_SECONDS = 0.3
"""Of CPU time, to check or to render one template."""

TEXTS = (
    *('x","admin":true,"z":"', "\\", '\\"', '"}]', "\\u0022", "\x00\x1f\x7f", "\r\n\t", "\u2028", "{{ data.s }}"),
    *(
        "{% raw %}",
        "{#",
        "</script>",
        "${env:X}",
        "😀",
        "",
        "null",
        "[1,2]",
        '{"a": 1}',
        "-0",
        ",",
        ":",
        "x" * 3000 + '"',
    ),
)
"""What a hostile publisher sends as a text. The structure of a body may not depend on it."""
S = {"type": "string"}
N = {"type": "number"}
B = {"type": "boolean"}
FIELDS: dict[str, Any] = {
    **dict.fromkeys(("s", "t", "user-id", "opt"), S),
    **dict.fromkeys(("n", "m"), N),
    **dict.fromkeys(("b", "c"), B),
    "xs": {"type": "array", "items": S},
    "os": {
        "type": "array",
        "items": {"type": "object", "properties": {"k": S, "n": N, "on": B}, "required": ["k", "n", "on"]},
    },
    "d": {"type": "object", "additionalProperties": S},
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "data"],
    "properties": {
        "id": S,
        "data": {"type": "object", "properties": FIELDS, "required": sorted(FIELDS.keys() - {"opt"})},
    },
}
MARK = '{"in": '
"""How the JSON text in a string begins: no hostile text begins like this."""


def event(texts: Callable[[], str], numbers: Callable[[], Any], flags: list[bool]) -> dict[str, Any]:
    """An event whose conditions are decided by ``flags`` alone, with other texts and numbers."""
    one, two, *rest = flags
    items = [{"k": texts(), "n": numbers(), "on": on} for on in rest]
    data = {"s": texts(), "t": texts(), "user-id": texts(), "n": numbers(), "m": numbers(), "b": one, "c": two}
    return {
        "id": texts(),
        "data": {**data, "xs": [texts() for _ in rest], "os": items, "d": {"k": texts(), "other": texts()}},
    }


class Writer:
    """Writes one random template. Conditions depend on flags and on the length of lists, never on a text."""

    def __init__(self, pick: random.Random) -> None:
        self.pick = pick
        self.names = 0
        self.loops: list[str] = []

    def one(self, *patterns: str) -> str:
        """One of the patterns; each letter between ``<>`` in it is written by the method of that name."""
        text = self.pick.choice(patterns)
        while "<" in text and (at := text.find("<")) >= 0 and text[at + 2 : at + 3] == ">":
            text = text[:at] + getattr(self, f"write_{text[at + 1]}")().replace("<", "\0") + text[at + 3 :]
        return text.replace("\0", "<")

    def write_n(self) -> str:
        deep = self.pick.random() < 0.3
        inside = ("loop.index", "loop.revindex0", "loop.length", f"{self.loops[-1]}.n") if self.loops else ()
        simple = ("data.n", "data.m", "3", "0x1F", "data.xs | length", "data.os[0].n | default(1)", *inside)
        if not deep:
            return str(self.pick.choice(simple))
        return self.one(
            "(<n> + <n>)",
            "(<n> - <n>)",
            "<n> * 2",
            "<n> // 7",
            "<n> % 5",
            "-(<n>)",
            "(<n> if <c> else <n>)",
            "<n> | round",
        )

    def write_t(self) -> str:
        deep = self.pick.random() < 0.4
        inside = (f"{self.loops[-1]}.k", f"{self.loops[-1]}['k']") if self.loops else ()
        simple = ("data.s", "data.t", 'data["user-id"]', "id", "data.d.k", "data.xs[0] | default('')", "'c'", *inside)
        if not deep:
            return str(self.pick.choice(simple))
        return self.one(
            *("(<t> ~ <t>)", "(<t> ~ <n>)", "(<t>)[:5]", "(<t>)[-3:]", "(<t>) | upper", "(<t> | trim | lower)"),
            *(
                "(<t> if <c> else <t>)",
                "data.xs | join(<t>)",
                "{'a': 'b'}[<t>] | default(<t>)",
                "(<t> | tojson)",
                "data.d[<t>] | default('x')",
            ),
        )

    def write_c(self) -> str:
        inside = ("loop.first", "not loop.last", "loop.index > 1", f"{self.loops[-1]}.on") if self.loops else ()
        simple = (
            "data.b",
            "data.c",
            "data.xs",
            "data.os | length > 1",
            "data.opt is defined",
            "data.n is number",
            "true",
            *inside,
        )
        if self.pick.random() < 0.7:
            return str(self.pick.choice(simple))
        return self.one("(<c> and <c>)", "(<c> or <c>)", "not <c>", "1 < (data.xs | length) <= 3", "data.s is string")

    def write_v(self) -> str:
        """An expression for the place of a value: one that is a scalar for every event."""
        return self.one("<t>", "<n>", "(<t> if <c> else <n>)", "<t> | tojson", "not <c>", "<c> and <c> and true")

    def write_l(self) -> str:
        return self.one("data.os", "data.os[:2]", "data.os[1:]")

    def write_p(self) -> str:
        """Text with expressions, for a string."""
        return self.one(
            "{{ <t> }}",
            "a {{ <v> }}",
            "{{ <t> }}{{ <n> }}: ",
            "{% if <c> %}{{ <t> }}{% endif %}",
            "{{ 'x' if <c> }}",
            "{{ ', ' if <c> else '' }}",
            "b",
        )

    def write_j(self) -> str:
        """A JSON value of the template."""
        if self.pick.random() < 0.5 or len(self.loops) > 1:
            return self.one("{{ <v> }}", '"<p>"', '"<p><p>"', "{{- <v> -}}", "{% raw %}1{% endraw %}", "{# <> #}2")
        if self.pick.random() < 0.35:
            return self.loop()
        if self.pick.random() < 0.2:
            self.names += 1
            return "{% set v" + str(self.names) + self.one(" = <t> %}", " = <n> %}") + "{{ v" + str(self.names) + " }}"
        return self.one(
            *("[<j>, <j>]", '{"a": <j>, "b": <j>}', '{"k{{ <t> }}": <j>}', "{% if <c> %}<j>{% else %}<j>{% endif %}"),
            *(
                "{% if <c> %}<j>{% elif <c> %}<j>{% else %}<j>{% endif %}",
                "[<j>{{ ',' if <c> else ',' }} 1]",
                "{{ {'z': <t>} }}",
                "{{ [<t>, <n>] }}",
            ),
            json.dumps(MARK + "[")[:-1] + "{{ <v> }}, " + '\\"<p>\\"]}"',
        )

    def loop(self) -> str:
        name = f"x{len(self.loops)}"
        header = self.one("{% for NAME in <l> %}", "{% for NAME in <l> if NAME.on %}").replace("NAME", name)
        self.loops.append(name)
        inner = self.write_j()
        self.loops.pop()
        comma = self.pick.choice(("{{ ',' if not loop.last }}", "{% if not loop.last %},{% endif %}"))
        return f"[{header}{inner}{comma}{self.pick.choice(('', '{% else %}0'))}{{% endfor %}}]"


def broken(text: str, pick: random.Random) -> str:
    """The template with parts taken out, put in, doubled or moved."""
    words = (
        "{{",
        "}}",
        "{%",
        "%}",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "\\",
        " not ",
        " is ",
        "|",
        "~",
        "-",
        ",",
        "{% endif %}",
        "{% else %}",
    )
    for _ in range(pick.randint(1, 3)):
        at, to = sorted((pick.randint(0, len(text)), pick.randint(0, len(text))))
        to = min(to, at + 20)
        text = text[:at] + pick.choice(("", pick.choice(words), text[at:to] * 2, text[at:to][::-1])) + text[to:]
    return text


def structure(value: Any) -> Any:
    """A body without its texts and scalars."""
    if isinstance(value, dict):
        return {key[:1]: structure(one) for key, one in value.items()}
    if isinstance(value, list):
        return [structure(one) for one in value]
    if isinstance(value, str) and value.startswith(MARK):
        return ["JSON text", structure(json.loads(value))]
    return "scalar"


def seconds_of(call: Callable[[], object]) -> float:
    """The CPU time of a call. The least of three if it takes long, because other programs slow it down."""
    best = float("inf")
    for _ in range(3):
        before = time.process_time()
        call()
        best = min(best, time.process_time() - before)
        if best <= MAX_SECONDS:
            break
    return best


def errors_of(text: str, event_type: EventType) -> set[str]:
    """The rules that a template breaks. It takes no longer to find them than it may."""
    found: list[set[str]] = []
    seconds = seconds_of(
        lambda: found.append({problem.rule for problem in check_body(text, event_type, {}) if problem.is_error})
    )
    assert seconds <= MAX_SECONDS, f"{seconds:.2f} s to check {text}"
    return found[0]


def rendered(text: str, document: dict[str, Any]) -> Any:
    """The body for an event as Python's JSON; None if it cannot be rendered. It takes no longer than it may."""
    template = compile_body(text, {})
    bodies: list[Any] = []

    def render() -> None:
        try:
            bodies.append(template.render(document))
        except RenderError:
            bodies.append(None)

    seconds = seconds_of(render)
    assert seconds <= MAX_SECONDS, f"{seconds:.2f} s to render {text}"
    return None if bodies[0] is None else json.loads(bodies[0])


def numbers(pick: random.Random) -> float:
    return pick.choice((0, -1, 7, 0.1, 2**53 + 1, 10**30, 1e308, -0.0))


@pytest.mark.parametrize("part", range(PARTS))
def test_no_event_changes_the_structure_of_a_body(part: int) -> None:
    pick = random.Random(f"{SEED} {part}")  # noqa: S311 - not for secrets
    bodies = 0
    for number in range(-(-TEMPLATES // PARTS)):
        flags = [pick.random() < 0.5 for _ in range(pick.choice((2, 2, 3, 5, 7)))]
        normal = event(lambda: "text", lambda: 5, flags)
        hostile = event(lambda: pick.choice(TEXTS), lambda: numbers(pick), flags)
        event_type = EventType(name="", summary="", schema=SCHEMA, mock=normal)
        writer = Writer(pick)
        count = 200 if number % 400 == 29 else 1
        text = f"[{', '.join(writer.write_j() for _ in range(count))}]"[:60_000]
        where = f"SEED={SEED} part {part}: {text}"
        if is_broken := count == 1 and pick.random() < 0.3:
            text = broken(text, pick)
        errors = errors_of(text, event_type)
        assert is_broken or errors <= {"template-too-large"} or len(text) == 60_000, (errors, where)
        if errors:
            continue
        body = rendered(text, hostile)
        if not is_broken and body is not None:
            assert structure(body) == structure(rendered(text, normal)), where
            bodies += 1
        if count > 1:
            rendered(text, event(lambda: pick.choice(TEXTS), lambda: numbers(pick), [True] * 500))
    assert bodies > TEMPLATES / PARTS / 3  # most templates are compared
