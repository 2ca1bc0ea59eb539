"""Delivery plans: canonical, stable, and read back as they were written."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.model import BodyFormat, DeliveryPlan, Json, PluginBlock, Status
from hookctl.model.delivery_plan import CHOICES, canonical_json

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
leaves = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
blocks = st.builds(PluginBlock, texts, st.dictionaries(texts, leaves | st.lists(leaves, max_size=3), max_size=3))
plans = st.builds(
    DeliveryPlan,
    name=texts,
    events=st.sets(texts, min_size=1, max_size=3).map(lambda names: tuple(sorted(names))),
    status=st.sampled_from(Status),
    method=st.sampled_from(["GET", "POST"]),
    url=texts,
    headers=st.dictionaries(texts, texts, max_size=3),
    auth=st.lists(blocks, max_size=2).map(tuple),
    transport=st.none() | blocks,
    when=st.none() | texts,
    body_template=st.none() | texts,
    timeout_seconds=st.floats(0.1, 60),
    response_validators=st.lists(blocks, max_size=2).map(tuple),
    custom_validation_error_message=st.none() | texts,
    retry_schedule=st.lists(st.floats(0, 1e6), max_size=8).map(tuple),
    rate_limit=st.none() | st.floats(0.01, 1e4),
    description=st.none() | texts,
    labels=st.dictionaries(texts, texts, max_size=3),
    protected=st.booleans(),
    max_in_flight=st.none() | st.integers(1, 2000),
    outcomes=st.dictionaries(texts, st.sampled_from(sorted(CHOICES)), max_size=3),
    body_format=st.sampled_from(BodyFormat),
    form=st.none() | st.dictionaries(texts, texts, max_size=3),
)


@given(plans)
def test_read_back_as_written(plan: DeliveryPlan) -> None:
    assert DeliveryPlan.from_json(plan.to_json()) == plan
    assert DeliveryPlan.from_json(json.loads(plan.canonical())) == plan


@given(plans)
def test_every_field_is_in_the_json_and_in_the_digest(plan: DeliveryPlan) -> None:
    empty = {
        "max_in_flight": plan.max_in_flight is None,
        "outcomes": not plan.outcomes,
        "body_format": plan.body_format is BodyFormat.JSON,
        "form": plan.form is None,
    }
    left_out = {name for name, is_empty in empty.items() if is_empty}
    fields = {field.name for field in dataclasses.fields(DeliveryPlan)} - left_out - {"digest", "events"}
    assert set(plan.to_json()) == fields | {"format", "event"}
    renamed = dataclasses.replace(plan, name=plan.name + "x")
    assert renamed.digest != plan.digest


@given(plans, st.text().filter(lambda text: text not in CHOICES))
def test_a_plan_with_an_unknown_outcome_cannot_be_read(plan: DeliveryPlan, word: str) -> None:
    with pytest.raises(ValueError, match="this hookctl knows dead, delivered, hold, retry"):
        DeliveryPlan.from_json({**plan.to_json(), "outcomes": {"404": word}})


@given(plans)
def test_the_order_of_keys_does_not_matter(plan: DeliveryPlan) -> None:
    turned = dataclasses.replace(
        plan, headers=dict(reversed(list(plan.headers.items()))), labels=dict(reversed(list(plan.labels.items())))
    )
    assert turned.digest == plan.digest


def test_the_digest_of_a_plan_from_before_a_field_came_still_holds() -> None:
    """What is applied is checked against its digest when it is read."""
    blank: dict[str, Json] = {
        "name": "Siem",
        "event": "anomaly",
        "status": "active",
        "method": "POST",
        "url": "https://siem.example.com/",
        "headers": {},
        "auth": [],
    }
    never = dict.fromkeys(
        ("transport", "when", "body_template", "custom_validation_error_message", "rate_limit", "description")
    )
    before: dict[str, Json] = {
        "format": 1,
        **blank,
        **never,
        "timeout_seconds": 15,
        "response_validators": [],
        "retry_schedule": [5],
        "labels": {},
        "protected": False,
    }
    plan = DeliveryPlan.from_json(before)
    assert (plan.to_json(), plan.max_in_flight) == (before, None)
    assert (plan.body_format, plan.form) == (BodyFormat.JSON, None)
    assert plan.digest == hashlib.sha256(json.dumps(before, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def test_an_unknown_body_format_is_refused() -> None:
    document: dict[str, Json] = {
        "format": 1,
        "event": "anomaly",
        "status": "active",
        "auth": [],
        "response_validators": [],
    }
    with pytest.raises(ValueError, match="yaml"):
        DeliveryPlan.from_json({**document, "transport": None, "retry_schedule": [], "body_format": "yaml"})


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="delivery plan format 2"):
        DeliveryPlan.from_json({"format": 2})


def test_canonical_json_refuses_what_json_lacks() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))
