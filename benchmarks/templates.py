"""What body templates cost, beside Jinja's plain render and Jinja's parse of the same texts in the same run.

Figures: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import jinja2
from run import Timed, medians, timed

from hookctl.model import Json
from hookctl.plugin import EventType
from hookctl.plugin.host import load_plugins
from hookctl.template import check_body, compile_body

Given = TypeVar("Given")
JINJA = jinja2.Environment()  # noqa: S701 - what is measured is JSON, and Jinja without any escaping

COMMON = """\
  "id": "{{ id }}",
  "time": {{ event_time }},
  "severity": "{{ data.severity }}",
  "title": "{{ data.title }}",
  "text": "Requested by {{ data.requester.name }} ({{ data.requester.email }})",
  "request": "{{ data.request.friendly_id }}",
  "integration": "{{ data.integration.name }}"
"""
"""Eight expressions; each body below has at least two more."""
STATUS = ',\n  "status": "{{ data.request.status }}"'
FLOW = ',\n  "flow": "{{ data.access_flow.name }}"'
A_FILTER = ',\n  "status": "{{ data.request.status | upper }}"'
AN_IF = '{% if data.request.status == "Pending" %},\n  "status": "{{ data.request.status }}"{% endif %}'
A_FOR = (
    ',\n  "requester": [{% for key, value in data.requester | items %}'
    '"{{ key }}={{ value }}"{% if not loop.last %}, {% endif %}{% endfor %}]'
)
A_CALCULATION = (
    ',\n  "in_ms": {{ event_time * 1000 // 1 }},'
    '\n  "who": "{{ data.requester.name ~ \' \' ~ data.requester.email[:20] }}"'
)
A_LOOKUP = """,\n  "priority": "{{ {'High': 'P1', 'Medium': 'P2'}[data.severity] | default('P3') }}\""""
A_SET = (
    '{% set who = data.requester.name ~ " (" ~ data.requester.email ~ ")" %},\n  "who": "{{ who }}", "by": "{{ who }}"'
)
SOME = (
    ',\n  "requester": [{% for pair in data.requester | items if pair[0] != "id" %}'
    "\"{{ pair[1] }}\"{{ ',' if not loop.last }}{% endfor %}]"
)
A_KEY = ',\n  "{{ data.request.status }}": true'


def body(*rest: str) -> str:
    return "{\n" + COMMON.rstrip() + "".join(rest) + "\n}"


PLAIN = "text and paths"
BODIES = {
    PLAIN: body(STATUS, FLOW),
    "a filter": body(A_FILTER, FLOW),
    "an if": body(AN_IF, FLOW),
    "a for": body(A_FOR),
    "a filter, an if and a for": body(A_FILTER, AN_IF.replace('"status":', '"pending":'), A_FOR),
    "an expression in a key": body(A_KEY, FLOW),
    "calculations and ~": body(A_CALCULATION),
    "a lookup": body(A_LOOKUP, FLOW),
    "a set": body(A_SET),
    "a for with an if": body(SOME, FLOW),
}
RENDER = dict.fromkeys(BODIES, 1.2) | {PLAIN: 0.5}
"""The share of Jinja's time that is wanted at most."""
CHECK = {PLAIN: 0.1}
SIZE = 1000
"""Characters of a template that is checked."""


def each_new(call: Callable[[str], object], template: str, count: int) -> Timed:
    """Calls with templates of 1 kB, none of them seen before."""
    numbers = itertools.count()

    def once() -> float:
        pad = "x" * (SIZE - len(template) - 20)
        texts = [
            template.removesuffix("\n}") + f',\n  "text {number}": "{pad}"\n}}'
            for number in itertools.islice(numbers, count)
        ]
        return timed(partial(repeat, call, texts))()

    return once


def renderings(document: Mapping[str, Json], rounds: int, count: int) -> dict[str, tuple[float, float]]:
    """Seconds for one rendering of each body: ours, and Jinja's plain one."""
    calls: dict[str, Timed] = {}
    for name, text in BODIES.items():
        ours, jinja = compile_body(text, {}).render, JINJA.from_string(text).render
        if ours(document).decode() != jinja(document):
            raise SystemExit(f"{name}: the two differ")
        calls |= {
            f"{name}, ours": timed(partial(repeat, ours, [document] * count)),
            f"{name}, Jinja": timed(partial(repeat, jinja, [document] * count)),
        }
    return pairs(medians(rounds, calls), count)


def checks(event_type: EventType, rounds: int, count: int) -> dict[str, tuple[float, float]]:
    """Seconds to check and compile one template of 1 kB, and for Jinja to parse it; no two templates are the same."""

    def check_and_compile(text: str) -> None:
        if check_body(text, event_type, {}):
            raise SystemExit(f"there is something wrong with {text}")
        compile_body(text, {})

    calls: dict[str, Timed] = {}
    for name, text in BODIES.items():
        calls |= {
            f"{name}, ours": each_new(check_and_compile, text, count),
            f"{name}, Jinja": each_new(JINJA.parse, text, count),
        }
    return pairs(medians(rounds, calls), count)


def repeat(call: Callable[[Given], object], arguments: Sequence[Given]) -> None:
    for argument in arguments:
        call(argument)


def pairs(times: Mapping[str, float], count: int) -> dict[str, tuple[float, float]]:
    return {name: (times[f"{name}, ours"] / count, times[f"{name}, Jinja"] / count) for name in BODIES}


def table(title: str, wanted: Mapping[str, float], found: Mapping[str, tuple[float, float]]) -> None:
    print(f"{title:<28} {'us':>7} {'us, Jinja':>10} {'ratio':>6} {'wanted':>7}")
    for name, (ours, jinja) in found.items():
        print(f"{name:<28} {1e6 * ours:>7.1f} {1e6 * jinja:>10.1f} {ours / jinja:>6.2f} {wanted.get(name, ''):>7}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument(
        "--count", type=int, default=500, help="renderings of each body, and distinct templates, a round"
    )
    arguments = parser.parse_args()
    event_type = load_plugins().event_types["anomaly"]
    table("render", RENDER, renderings(event_type.mock, arguments.rounds, arguments.count))
    print()
    table("check and compile, 1 kB", CHECK, checks(event_type, arguments.rounds, arguments.count))


if __name__ == "__main__":
    main()
