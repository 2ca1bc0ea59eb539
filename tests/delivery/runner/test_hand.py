"""What a runner has in hand."""

from __future__ import annotations

from hookctl.delivery.runner.claims import Hand
from hookctl.model import Delivery, DeliveryStatus
from hookctl.store.interface import Claimed


def claimed(name: str, webhook: str = "A", lease: int = 1) -> Claimed:
    return Claimed(Delivery(name, "e", webhook, DeliveryStatus.WAITING, 0, 1.0, "", 1.0), {"id": "e"}, lease)


def test_what_waits_goes_in_turn() -> None:
    hand = Hand()
    claims = [claimed("1"), claimed("2", "B"), claimed("3")]
    hand.take(claims)
    assert (len(hand), hand.under_way, hand.waiting()) == (3, 0, {"A": 2, "B": 1})
    assert [hand.next("A"), hand.next("B"), hand.next("A"), hand.next("A"), hand.next("C")] == [*claims, None, None]
    assert (len(hand), hand.under_way, hand.waiting()) == (3, 3, {})
    assert hand.ended("2") is claims[1]
    assert list(hand) == [claims[0], claims[2]]


def test_a_claim_made_again_replaces_the_one_before() -> None:
    hand = Hand()
    hand.take([claimed("waits"), claimed("goes", "B")])
    hand.next("B")
    again = [claimed("waits", lease=2), claimed("goes", "B", lease=2)]
    hand.take(again)
    assert hand.waiting().keys() == {"A"}  # what goes does not go twice
    assert hand.next("A") is again[0]
    assert hand.next("A") is None
    assert hand.ended("goes") is again[1]


def test_what_is_lost_is_not_started_and_what_is_under_way_goes_on() -> None:
    hand = Hand()
    hand.take([claimed("1"), claimed("2"), claimed("3")])
    hand.next("A")
    hand.lost({"1", "2"})
    assert [one.delivery.id for one in hand] == ["1", "3"]
    assert hand.next("A") == claimed("3")
    assert hand.next("A") is None


def test_what_waits_can_be_dropped() -> None:
    hand = Hand()
    hand.take([claimed("1"), claimed("2"), claimed("3"), claimed("4", "B")])
    hand.next("A")
    hand.lost({"2"})
    assert hand.drop_waiting(["A", "C"]) == [claimed("3")]
    assert hand.waiting() == {"B": 1}
    assert hand.drop_waiting(hand.waiting()) == [claimed("4", "B")]
    assert (len(hand), hand.under_way) == (1, 1)
    hand.clear()
    assert len(hand) == 0
