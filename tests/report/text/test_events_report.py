"""Events as people read them, where many webhooks are applied or an event holds what no terminal should get."""

from __future__ import annotations

from hookctl.delivery.past.why import Unmatched, Why
from hookctl.model import Delivery, DeliveryStatus
from hookctl.report.text.events import MOST_ROWS, Backfilled, render_backfill, render_one, render_table
from hookctl.store.history import StoredEvent

EVENT = StoredEvent("e\x1b1", "anomaly", 1.0, 2.0, {"id": "e\x1b1", "data": "\x9b"}, {}, (2.0, 1))


def test_webhooks_of_another_type_are_counted() -> None:
    others = [Unmatched(f"W{number:02}", Why.OTHER_TYPE, "other") for number in range(20)]
    text = render_one(EVENT, [], others, color=False)
    assert "Matched no webhook.\n\n20 webhooks receive another event type: W00, W01" in text
    assert "W11 and 8 more\n" in text
    assert "Did not match" not in text
    one = render_one(EVENT, [], others[:1], width=60, color=False)
    assert "\n1 webhook receives another event type: W00\n" in one


def test_long_tables_are_cut() -> None:
    falses = [Unmatched(f"W{number:03}", Why.WHEN_FALSE, "data.n\x1b") for number in range(MOST_ROWS + 5)]
    made = [
        Delivery(f"m{number}", "e1", f"D{number:03}", DeliveryStatus.DEAD, 1, 0.0, "no\x1b", 0.0)
        for number in range(MOST_ROWS + 1)
    ]
    text = render_one(EVENT, made, falses, color=False)
    assert "Matched 101 webhooks:" in text
    assert "  ... and 1 more: see --format json" in text
    assert "Did not match 105 webhooks:" in text
    assert "  ... and 5 more: see --format json" in text
    assert "this part of `when` was false: data.n\\u001b" in text
    assert not {"\x1b", "\x9b"} & {*text, *render_table([EVENT], color=False)}


def test_an_unknown_reason() -> None:
    unknown = [Unmatched("A", Why.UNKNOWN), Unmatched("B", Why.UNKNOWN, "contains() fails")]
    text = render_one(EVENT, [], unknown, color=False)
    assert "A        unknown: it would have matched, by what is recorded\n" in text
    assert "by what is recorded: contains() fails\n" in text


def test_what_a_backfill_did() -> None:
    text = render_backfill(Backfilled("Siem", looked_at=10, missed=5, made=3, has_more=True))
    assert text.splitlines()[:3] == [
        "3 deliveries made for Siem.",
        "2 were made by another process, or their events were deleted.",
        "Older events are left: run the same command again.",
    ]
    nothing = render_backfill(Backfilled("Siem", looked_at=10, missed=5, made=0, has_more=False))
    assert "hookctl run" in text
    assert "hookctl run" not in nothing
