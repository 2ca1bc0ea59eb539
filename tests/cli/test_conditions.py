"""``doctor --fail-on``: what it accepts, and when it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.cli.conditions import MEASURES, checks_of_conditions, conditions
from hookctl.delivery.situation import Situation
from hookctl.store.records import Backlog, Circuit, Hold, Stopped

Run = Callable[..., Any]
NOW = 1_800_000_000.0
WORST = Situation(
    now=NOW,
    backlogs={
        "A": Backlog(waiting=2, retrying=3, held=4, dead=5, oldest_at=NOW - 7200.0, due_at=NOW - 300.0),
        "B": Backlog(waiting=1, retrying=1, held=0, dead=2, oldest_at=NOW - 60.0, due_at=NOW + 900.0),
        "Inactive": Backlog(held=9, waiting=1, dead=1, oldest_at=NOW - 90_000.0, due_at=NOW - 90_000.0),
    },
    active=frozenset("AB"),
    circuits={"A": Circuit("open", "HTTP 503", NOW, NOW), "B": Circuit("local", "no memory", NOW, NOW)},
    held=[Stopped("A", "HTTP 401", 4, Hold("HTTP 401", NOW))],
    workers=0,
)
MEASURED = {
    "dead": ("7", "8", "8 dead letters"),
    "waiting": ("3", "4", "4 waiting deliveries"),
    "retrying": ("3", "4", "4 retrying deliveries"),
    "held": ("0", "1", "1 webhook held"),
    "circuits": ("1", "2", "2 circuits open, half-open or waiting for this machine"),
    "lag": ("299s", "5m", "a delivery has been due for 5m"),
    "oldest": ("1.99h", "2h", "the oldest delivery that is not finished is 2h old"),
}
"""For each name: a limit below what is measured, the limit that it equals, and how it is shown."""
BEST = Situation(now=NOW, backlogs={}, active=frozenset("A"), circuits={}, held=[], workers=1)


def verdicts(option: str, situation: Situation | None) -> list[tuple[str, str]]:
    given = conditions(None, None, option)  # type: ignore[arg-type]
    return [(check.verdict, check.message) for check in checks_of_conditions(given, situation, "x.db")]


def test_every_condition_is_tested() -> None:
    assert MEASURED.keys() == MEASURES.keys()


@pytest.mark.parametrize("name", MEASURED)
def test_a_condition_is_met_above_its_limit(name: str) -> None:
    below, equal, shown = MEASURED[name]
    assert verdicts(f"{name}>{below}", WORST) == [("problem", f"{name}>{below} is true: {shown}")]
    assert verdicts(f"{name}>{equal}", WORST) == [("ok", f"{name}>{equal} is false: {shown}")]


@pytest.mark.parametrize("name", MEASURED)
def test_nothing_is_above_zero_if_all_is_delivered(name: str) -> None:
    zero = "0s" if MEASURES[name].is_duration else "0"
    assert verdicts(f"{name}>{zero}", BEST) == [("ok", f"{name}>{zero} is false: none")]


def test_a_clock_that_was_set_back_makes_nothing_negative() -> None:
    ahead = {"A": Backlog(waiting=1, oldest_at=NOW + 50.0, due_at=NOW + 50.0)}
    situation = Situation(now=NOW, backlogs=ahead, active=frozenset("A"), circuits={}, held=[], workers=1)
    assert verdicts("lag>0s,oldest>0s", situation) == [
        ("ok", "lag>0s is false: none"),
        ("ok", "oldest>0s is false: none"),
    ]


def test_several_conditions_with_spaces() -> None:
    assert verdicts(" dead > 0 , lag>1d", WORST) == [
        ("problem", "dead>0 is true: 8 dead letters"),
        ("ok", "lag>1d is false: a delivery has been due for 5m"),
    ]


def test_no_condition_and_no_store() -> None:
    assert verdicts("dead>0", None) == [("problem", "no condition can be checked: x.db does not exist")]
    assert list(checks_of_conditions((), None, "x.db")) == []


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("", "'' is not a condition. Write a name, > and a limit, such as dead>0 or lag>5m."),
        ("dead", "'dead' is not a condition."),
        ("dead>0,", "'' is not a condition."),
        ("dead>=1", "dead>=1: dead is compared with a whole number, such as dead>0."),
        ("dead<1", "'dead<1' is not a condition."),
        ("dead>-1", "dead>-1: dead is compared with a whole number"),
        ("dead>0.5", "dead>0.5: dead is compared with a whole number"),
        ("dead>5m", "dead>5m: dead is compared with a whole number"),
        ("dead>٣", "dead>٣: dead is compared with a whole number"),
        ("lag>5", "lag>5: lag is compared with a duration. Write a number and its unit, such as 30s, 5m or 2h."),
        ("lag>soon", "lag>soon: lag is compared with a duration."),
        ("oldest>1w", "oldest>1w: oldest is compared with a duration."),
        ("laag>5m", "unknown condition 'laag'. Did you mean lag? Use dead, waiting, retrying, held, circuits, lag,"),
        ("Dead>0", "unknown condition 'Dead'. Did you mean dead?"),
        ("xyzzy>5m", "unknown condition 'xyzzy'. Use dead, waiting,"),
    ],
)
def test_anything_else_is_an_error(run_cli: Run, tmp_path: Path, option: str, message: str) -> None:
    result = run_cli("doctor", "--fail-on", option, cwd=tmp_path)
    assert (result.exit_code, result.stdout) == (64, "")
    assert message in result.stderr


def test_a_name_without_a_limit_says_to_quote_the_option(run_cli: Run, tmp_path: Path) -> None:
    """A shell takes ``--fail-on dead>0`` for ``--fail-on dead``, with its output in the file 0."""
    assert (
        "In a shell, quote the option: 'dead>0,lag>5m'." in run_cli("doctor", "--fail-on", "dead", cwd=tmp_path).stderr
    )
    assert "quote" not in run_cli("doctor", "--fail-on", "nonsense", cwd=tmp_path).stderr


def test_without_a_store_doctor_fails_only_with_conditions(run_cli: Run, tmp_path: Path) -> None:
    assert run_cli("doctor", cwd=tmp_path).exit_code == 0
    result = run_cli("doctor", "--fail-on", "dead>0", "--format", "json", cwd=tmp_path)
    (check,) = [check for check in json.loads(result.stdout) if check["name"] == "fail_on"]
    assert result.exit_code == 1
    assert check["message"] == "no condition can be checked: .hookctl/hookctl.db does not exist"
    assert list(tmp_path.iterdir()) == []
