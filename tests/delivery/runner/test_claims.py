"""What a runner has in held."""

from __future__ import annotations

from hookctl.delivery.runner.claims import Claims
from hookctl.model import Delivery, DeliveryStatus
from hookctl.store.records import Claimed


def claimed(name: str, webhook: str = "A", lease: int = 1) -> Claimed:
    return Claimed(Delivery(name, "e", webhook, DeliveryStatus.WAITING, 0, 1.0, "", 1.0), {"id": "e"}, lease)


def test_what_waits_goes_in_turn() -> None:
    held = Claims()
    claims = [claimed("1"), claimed("2", "B"), claimed("3")]
    held.add(claims)
    assert (len(held), held.in_flight, held.waiting()) == (3, 0, {"A": 2, "B": 1})
    assert [
        held.next_waiting("A"),
        held.next_waiting("B"),
        held.next_waiting("A"),
        held.next_waiting("A"),
        held.next_waiting("C"),
    ] == [*claims, None, None]
    assert (len(held), held.in_flight, held.waiting()) == (3, 3, {})
    assert held.ended("2") is claims[1]
    assert list(held) == [claims[0], claims[2]]


def test_a_claim_made_again_replaces_the_one_before() -> None:
    held = Claims()
    held.add([claimed("waits"), claimed("goes", "B")])
    held.next_waiting("B")
    again = [claimed("waits", lease=2), claimed("goes", "B", lease=2)]
    held.add(again)
    assert held.waiting().keys() == {"A"}  # what goes does not go twice
    assert held.next_waiting("A") is again[0]
    assert held.next_waiting("A") is None
    assert held.ended("goes") is again[1]


def test_what_is_lost_is_not_started_and_what_is_in_flight_goes_on() -> None:
    held = Claims()
    held.add([claimed("1"), claimed("2"), claimed("3")])
    held.next_waiting("A")
    held.lost({"1", "2"})
    assert [one.delivery.id for one in held] == ["1", "3"]
    assert held.next_waiting("A") == claimed("3")
    assert held.next_waiting("A") is None


def test_what_waits_can_be_dropped() -> None:
    held = Claims()
    held.add([claimed("1"), claimed("2"), claimed("3"), claimed("4", "B")])
    held.next_waiting("A")
    held.lost({"2"})
    assert held.drop_waiting(["A", "C"]) == [claimed("3")]
    assert held.waiting() == {"B": 1}
    assert held.drop_waiting(held.waiting()) == [claimed("4", "B")]
    assert (len(held), held.in_flight) == (1, 1)
    held.clear()
    assert len(held) == 0
