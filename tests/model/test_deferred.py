"""Delivery plans and webhooks that are read when somebody asks for more than what is known of them."""

from __future__ import annotations

import copy
import dataclasses

import pytest

from hookctl.config.load import load_text
from hookctl.model import DeliveryPlan, Status, Webhook

PLAN = DeliveryPlan(
    name="A",
    event="anomaly",
    status=Status.ACTIVE,
    method="POST",
    url="https://a.example.com",
    headers={"X-A": "1"},
    auth=(),
    transport=None,
    when=None,
    body_template=None,
    timeout_seconds=15,
    response_validators=(),
    custom_validation_error_message=None,
    retry_schedule=(5,),
    rate_limit=None,
    description=None,
    labels={},
    protected=False,
)


class Source:
    """Gives a plan, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> DeliveryPlan:
        self.asked += 1
        return PLAN


def test_name_and_digest_are_known_without_reading() -> None:
    source = Source()
    later = DeliveryPlan.later("A", PLAN.digest, source)
    assert (later.name, later.digest) == ("A", PLAN.digest)
    assert source.asked == 0


def test_everything_else_is_read_once() -> None:
    source = Source()
    later = DeliveryPlan.later("A", PLAN.digest, source)
    assert (later.url, later.headers, later.status) == (PLAN.url, PLAN.headers, PLAN.status)
    assert source.asked == 1


@pytest.mark.parametrize("ask", [repr, DeliveryPlan.to_json, DeliveryPlan.canonical, dataclasses.asdict, copy.deepcopy])
def test_a_plan_that_is_read_later_is_a_plan_like_any_other(ask: object) -> None:
    assert callable(ask)
    assert ask(DeliveryPlan.later("A", PLAN.digest, Source())) == ask(PLAN)
    assert DeliveryPlan.later("A", PLAN.digest, Source()) == PLAN == DeliveryPlan.later("A", PLAN.digest, Source())


def test_a_changed_copy_has_a_digest_of_its_own() -> None:
    later = DeliveryPlan.later("A", PLAN.digest, Source())
    changed = dataclasses.replace(later, url="https://b.example.com")
    assert changed.digest == dataclasses.replace(PLAN, url="https://b.example.com").digest != PLAN.digest


def test_what_is_no_field_is_not_there() -> None:
    later = DeliveryPlan.later("A", PLAN.digest, Source())
    with pytest.raises(AttributeError, match="nonsense"):
        _ = later.nonsense  # type: ignore[attr-defined]


def test_what_reading_raises_is_raised_where_it_is_asked_for() -> None:
    def fail() -> DeliveryPlan:
        raise ValueError("gone")

    later = DeliveryPlan.later("A", PLAN.digest, fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="gone"):
            _ = later.url


def test_a_webhook_is_read_later_too() -> None:
    (webhook,) = load_text("a.yaml", "name: A\nurl: https://a.example.com\n").webhooks
    asked: list[str] = []

    def read() -> Webhook:
        asked.append("")
        return webhook

    later = Webhook.later("A", read)
    assert later.name == "A"
    assert asked == []
    assert (later.fields, later.number, later.positions.value(("url",)).line) == (webhook.fields, 1, 2)
    assert later.name == "A"
    assert asked == [""]
