"""What a plan says about a webhook's outcomes."""

from __future__ import annotations

from collections.abc import Callable

from hookctl.config.effects.outcomes import outcomes_of
from hookctl.model import DeliveryPlan, PluginBlock
from hookctl.report.text.outcomes import outcome_lines, outcomes_document

Build = Callable[..., DeliveryPlan]
CHECKS = (PluginBlock("json_path", {"json_path": "$.data.ok"}),)


def test_the_defaults_need_no_line(delivery_plan: Build) -> None:
    assert list(outcome_lines(outcomes_of(delivery_plan()))) == []


def test_each_entry_is_explained(delivery_plan: Build) -> None:
    chosen = {"409": "delivered", "404": "hold", "5xx": "dead", "4xx": "retry", "mismatch": "dead"}
    plan = delivery_plan(retry_schedule=(5,) * 7, outcomes=chosen, response_validators=CHECKS)
    (line,) = outcome_lines(outcomes_of(plan))
    assert line.text == (
        "outcomes: a 404 holds the webhook; a 409 counts as delivered; "
        "any 4xx except 401, 403, 404, 408, 409, 410, 425, 429 is retried; a 5xx makes the delivery dead; "
        "a 2xx response that response_validators reject makes the delivery dead; at most 8 requests for one event"
    )
    assert outcomes_document(outcomes_of(plan)) == {"chosen": chosen, "requests_per_event": 8, "may_repeat": False}


def test_a_validator_that_may_repeat_a_request_is_important_and_has_a_fix_of_one_line(delivery_plan: Build) -> None:
    (line,) = outcome_lines(outcomes_of(delivery_plan(retry_schedule=(5,) * 7, response_validators=CHECKS)))
    assert line.is_important
    assert line.text == (
        "may repeat a request: a 2xx response to a POST that response_validators reject is retried, so the target may "
        "process one event 8 times. To prevent this: outcomes: {mismatch: dead}"
    )
