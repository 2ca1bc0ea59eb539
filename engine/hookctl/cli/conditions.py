"""``--fail-on dead>0,lag>5m``: the conditions under which ``doctor`` fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from hookctl.model.nearest import nearest
from hookctl.model.quantities import counted, seconds, span

if TYPE_CHECKING:
    from hookctl.delivery.situation import Situation
    from hookctl.report.text.doctor import Check

CONDITION = re.compile(r"\s*([A-Za-z_]+)\s*>\s*(\S+)\s*")
NUMBER = re.compile(r"[0-9]{1,15}")
NAME = "fail_on"
"""The name of the checks of conditions."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a condition compares with its limit."""

    read: Callable[[Situation], float]
    text: Callable[[float], str]
    """The measured value, for people."""
    is_duration: bool = False
    check: str = ""
    """The check of ``doctor`` that shows more about it; empty if only ``list`` does."""

    @property
    def hint(self) -> str:
        """Where to look."""
        return f"See `{self.check}` above." if self.check else "`hookctl list` shows it for each webhook."


def _deliveries(status: str) -> Measure:
    """How many deliveries have a status. ``status`` is the name of a field of ``Backlog``."""
    adjective = {"dead": "dead letter", "waiting": "waiting delivery", "retrying": "retrying delivery"}[status]
    plural = "" if status == "dead" else f"{status} deliveries"
    return Measure(
        lambda situation: sum(getattr(backlog, status) for backlog in situation.backlogs.values()),
        lambda value: counted(int(value), adjective, plural),
        check="dead" if status == "dead" else "",
    )


MEASURES: Mapping[str, Measure] = {
    "dead": _deliveries("dead"),
    "waiting": _deliveries("waiting"),
    "retrying": _deliveries("retrying"),
    "held": Measure(
        lambda situation: len(situation.held), lambda value: f"{counted(int(value), 'webhook')} held", check="held"
    ),
    "circuits": Measure(
        lambda situation: len(situation.circuits),
        lambda value: f"{counted(int(value), 'circuit')} open, half-open or waiting for this machine",
        check="circuit",
    ),
    "lag": Measure(
        lambda situation: situation.lag,
        lambda value: f"a delivery has been due for {span(value)}",
        is_duration=True,
        check="lag",
    ),
    "oldest": Measure(
        lambda situation: situation.oldest,
        lambda value: f"the oldest delivery that is not finished is {span(value)} old",
        is_duration=True,
    ),
}
"""What a condition can name. docs/running.md describes each."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of ``--fail-on``: it is met, and ``doctor`` fails, above a limit."""

    text: str
    """As it was given, without spaces."""
    measure: Measure
    limit: float
    """A number, or seconds."""


def conditions(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[Condition, ...]:
    """A click callback: the conditions of the option. Raises click.BadParameter for text that is not a condition."""
    return tuple(_condition(text) for text in value.split(",")) if value is not None else ()


def checks_of_conditions(given: Sequence[Condition], situation: Situation | None, store: str) -> Iterator[Check]:
    """A problem for each condition that is met.

    ``situation`` is None if there is no store. Then no condition can ever be met, which is a problem too.
    """
    from hookctl.report.text.doctor import Check

    if situation is None:
        if given:
            hint = "Name the store that `hookctl run` uses, with --store or HOOKCTL_STORE."
            yield Check(NAME, "problem", f"no condition can be checked: {store} does not exist", hint)
        return
    for one in given:
        measured = one.measure.read(situation)
        shown = one.measure.text(measured) if measured else "none"
        if measured > one.limit:
            yield Check(NAME, "problem", f"{one.text} is true: {shown}", one.measure.hint)
        else:
            yield Check(NAME, "ok", f"{one.text} is false: {shown}")


def _condition(text: str) -> Condition:
    known = f"Use {', '.join(MEASURES)}: dead>0, lag>5m."
    match = CONDITION.fullmatch(text)
    if match is None:
        is_bare = text.strip() in MEASURES
        quoted = " In a shell, quote the option: 'dead>0,lag>5m'." if is_bare else ""
        raise click.BadParameter(
            f"{text.strip()!r} is not a condition. Write a name, > and a limit, such as dead>0 or lag>5m.{quoted}"
        )
    name, limit = match.groups()
    measure = MEASURES.get(name)
    if measure is None:
        near = nearest(name, MEASURES)
        raise click.BadParameter(
            f"unknown condition {name!r}. {f'Did you mean {near[0]}? ' if near else ''}{known}",
        )
    return Condition(f"{name}>{limit}", measure, _limit(name, limit, measure))


def _limit(name: str, text: str, measure: Measure) -> float:
    if not measure.is_duration:
        if NUMBER.fullmatch(text) is None:
            raise click.BadParameter(f"{name}>{text}: {name} is compared with a whole number, such as {name}>0.")
        return int(text)
    try:
        return seconds(text)
    except ValueError:
        raise click.BadParameter(
            f"{name}>{text}: {name} is compared with a duration. Write a number and its unit, such as 30s, 5m or 2h."
        ) from None
