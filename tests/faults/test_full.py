"""A store that is full takes in nothing more, to the last delivery, and goes on delivering."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from hookctl.testing.answers import Answer

DOWN = Answer(503)


@pytest.fixture
def limit(site: Any) -> Callable[[str], None]:
    """``limit("max_waiting = 5")``: the ``[intake]`` table of the project."""

    def write(text: str) -> None:
        (site.root / "hookctl.toml").write_text(f"[intake]\n{text}\n", encoding="utf-8")

    return write


@pytest.fixture(autouse=True)
def patient(site: Any, webhook: Callable[..., str]) -> None:
    """A webhook whose deliveries wait long for their second attempt."""
    site.apply(Siem=webhook("Siem", "retry: {schedule: [1h]}"))


def waiting(site: Any) -> int:
    return sum(status.value in {"waiting", "retrying"} for status in site.stored().values())


def accepted(output: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) accepted", output)]


@pytest.mark.parametrize("most", [1, 7])
def test_a_full_store_takes_in_no_more_than_may_wait(site: Any, limit: Callable[[str], None], most: int) -> None:
    """Also within a batch: what fits is accepted, the first event that does not is named, and none follows."""
    limit(f"max_waiting = {most}")
    site.receiver.default = DOWN
    assert site.send(site.write(600), "--wait", "0") == 1
    assert accepted(site.output) == [most]
    assert (
        f"Not accepted: event e{most} and all later ones: the store is full: {most} deliveries are waiting"
        in " ".join(site.output.split())  # which is wrapped on a terminal
    )
    assert {event for _, _, event in site.stored()} == {f"e{number}" for number in range(most)}
    assert waiting(site) == most
    assert site.receiver.count == most  # and it was tried
    limit("max_waiting = 600")
    site.receiver.default = Answer()
    assert site.send(site.write(600), "--wait", "0") == 0
    assert accepted(site.output) == [most, 600 - most]


def test_two_processes_together_take_in_no_more_than_may_wait(site: Any, limit: Callable[[str], None]) -> None:
    limit("max_waiting = 300")
    site.receiver.default = DOWN
    pids = [site.start("send", site.write(1000, first), "--wait", "0") for first in (0, 1000)]
    assert [site.wait(pid) for pid in pids] == [1, 1]
    assert sum(accepted(site.output)) == waiting(site)
    if site.url.startswith("sqlite"):
        assert waiting(site) == 300
    else:  # two batches that are stored at the same moment do not see each other
        assert 300 <= waiting(site) < 600


def test_a_full_store_delivers_what_waits_and_then_takes_in_more(site: Any, limit: Callable[[str], None]) -> None:
    site.take_in(20)
    limit("max_waiting = 5")
    assert site.send(site.write(200, 20)) == 0
    assert accepted(site.output) == [200]
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(220)})
    assert set(site.received().values()) == {1}


@pytest.mark.one_store("sqlite", "hookctl cannot see the disk of a server")
def test_without_room_on_the_disk_what_waits_is_delivered(site: Any, limit: Callable[[str], None]) -> None:
    site.take_in(20)
    limit('min_free = "1000000TB"')
    assert site.send(site.write(3, 20), "--format", "json") == 1
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(20)})
    document = json.loads(site.output[site.output.index("{") :])  # progress is written before it
    assert document["events"] == {"read": 0, "accepted": 0, "bad": 0, "seen_before": 0}
    assert document["refused"]["from"] == "e20"
    assert "MB must stay free" in document["refused"]["reason"]
    assert document["from_before"]["delivered"] == 20
    assert not document["succeeded"]
