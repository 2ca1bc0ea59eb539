"""Which failed deliveries a change repairs: each cause, tried again with the real renderer and validators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.config.effects import Chance, Group
from hookctl.config.effects.events import Conditions
from hookctl.config.effects.healing import MATTERS, MAX_WHY, healing_of, matters, shares
from hookctl.delivery.outcomes import TABLE, result_of
from hookctl.delivery.rehearsal.again import repeating
from hookctl.model import (
    Attempt,
    DeliveryPlan,
    DeliveryStatus,
    Failure,
    FailureKind,
    Mismatch,
    PluginBlock,
    Repair,
    Response,
    Status,
    Timing,
    Verdict,
)
from hookctl.plugin.host import load_plugins
from hookctl.store.healing import Repairable

Build = Callable[..., DeliveryPlan]
PLUGINS = load_plugins()
EVENT: Mapping[str, Any] = PLUGINS.event_types["anomaly"].mock
BODY = '{"title": "{{ data.title }}"}'
OK, NOT_OK = (
    PluginBlock("json_path", {"json_path": "$.data.ok", "expected_values": [value]}) for value in (True, False)
)


def attempt(plan: DeliveryPlan, result: int | FailureKind, body: bytes = b"", *, rejected: bool = False) -> Attempt:
    """The last attempt, made as a delivery with this plan makes it, with this result."""
    failure = Failure(result, "why") if isinstance(result, FailureKind) else None
    response = None if isinstance(result, FailureKind) else Response(result, "", (), body)
    with repeating(plan, PLUGINS) as repeat:
        made = repeat(EVENT, None)
    verdicts = (Verdict("x", (Mismatch("x", "no"),)),) if rejected else ()
    return Attempt(
        plan_digest=plan.digest,
        number=1,
        started_at=1.0,
        request=None if result is FailureKind.RENDER else made.request,
        response=response,
        failure=failure,
        timing=Timing(),
        verdicts=verdicts,
    )


def judged(
    after: DeliveryPlan,
    last: Attempt | None,
    before: DeliveryPlan | None = None,
    *,
    status: DeliveryStatus = DeliveryStatus.DEAD,
    attempts: int = 1,
    document: Mapping[str, Any] = EVENT,
) -> tuple[Chance, str]:
    """What is found about one delivery."""
    one = Repairable("msg_1", status, "", 3, attempts, document, last, before)
    healing = healing_of(
        after, {status: [one]}, {status: 1}, repeating=partial(repeating, plugins=PLUGINS), lets=Conditions().lets
    )
    ((group,),) = [tried.groups for tried in healing.tried]
    replayed = group.chance is not Chance.FAILS and status is not DeliveryStatus.HELD
    assert healing.repairs == ((Repair(after.name, "msg_1", status, 3),) if replayed else ())
    assert (group.count, healing.tried[0].total) == (1, 1)
    return group.chance, group.why


OTHER_URL = {"url": "https://siem.example.com/v2"}
OTHER_HOST = {"url": "https://other.example.com/ingest"}
OTHER_AUTH = {"auth": (PluginBlock("bearer", {"token": "${env:B}"}),)}
OTHER_BODY = {"body_template": '{"t": "{{ data.title }}"}'}


@pytest.mark.parametrize(
    ("result", "change", "part"),
    [
        (404, OTHER_URL, "URL"),
        (404, {"method": "PUT"}, "method"),
        (404, {"headers": {"X-Tenant": "b"}}, "headers"),
        (404, OTHER_AUTH, "auth"),
        (404, OTHER_BODY, ""),
        (404, {"description": "new", "labels": {"a": "b"}, "retry_schedule": (1,)}, ""),
        (410, OTHER_URL, "URL"),
        (401, OTHER_AUTH, "auth"),
        (403, OTHER_BODY, ""),
        (302, OTHER_URL, "URL"),
        (400, OTHER_BODY, "body"),
        (422, OTHER_BODY, "body"),
        (500, OTHER_BODY, "body"),
        (503, OTHER_BODY, ""),
        (503, OTHER_URL, "URL"),
        (429, OTHER_URL, ""),
        (429, OTHER_HOST, "host"),
        (FailureKind.ADDRESS_BLOCKED, OTHER_HOST, "host"),
        (FailureKind.ADDRESS_BLOCKED, OTHER_URL, ""),
        (FailureKind.NAME_NOT_FOUND, OTHER_HOST, "host"),
        (FailureKind.TLS, OTHER_BODY, ""),
        (FailureKind.TIMEOUT, {"timeout_seconds": 30}, "timeout"),
        (FailureKind.TIMEOUT, {"timeout_seconds": 5}, ""),
        (FailureKind.TOKEN, OTHER_AUTH, "auth"),
        (FailureKind.TOKEN, OTHER_HOST, ""),
        (FailureKind.SECRET, {"headers": {"X-Key": "${env:B}"}}, "secret"),
        (FailureKind.SECRET, OTHER_BODY, ""),
        (FailureKind.PLUGIN, OTHER_AUTH, "auth"),
        (FailureKind.PLUGIN, OTHER_URL, ""),
    ],
)
def test_only_what_matters_for_the_last_result_may_repair_it(
    delivery_plan: Build, result: int | FailureKind, change: Mapping[str, Any], part: str
) -> None:
    before = delivery_plan(body_template=BODY)
    chance, why = judged(delivery_plan(**{"body_template": BODY, **change}), attempt(before, result), before)
    if part:
        assert chance is Chance.POSSIBLE
        assert why.endswith("will be different")
        assert f"the {part} " in why
    else:
        assert (chance, why.rpartition(", and ")[2]) == (Chance.FAILS, "nothing changes that matters for it")
    assert (f"HTTP {result} before" if isinstance(result, int) else f"{result.value} before") in why


def test_another_secret_in_the_url_is_another_url(delivery_plan: Build) -> None:
    before, after = (delivery_plan(url=f"https://siem.example.com/${{env:{name}}}") for name in "AB")
    last = attempt(before, 404)
    assert judged(after, last, before) == (Chance.POSSIBLE, "HTTP 404 before, and the URL will be different")
    assert judged(before, last, before)[0] is Chance.FAILS


def test_a_request_that_could_not_be_rendered(delivery_plan: Build) -> None:
    before = delivery_plan(url="https://siem.example.com/{{ data.title }}")
    document = {**EVENT, "data": {**EVENT["data"], "title": ".."}}
    last = attempt(before, FailureKind.RENDER)
    fails = judged(before, last, before, document=document)
    assert fails[0] is Chance.FAILS
    assert fails[1].startswith("render: the URL: ")
    assert judged(delivery_plan(), last, before, document=document) == (
        Chance.REPAIRED,
        "the request could not be rendered before, and can be now",
    )


def test_a_request_that_can_no_longer_be_rendered_still_fails(delivery_plan: Build) -> None:
    before, after = delivery_plan(), delivery_plan(url="https://siem.example.com/{{ data.title }}")
    document = {**EVENT, "data": {**EVENT["data"], "title": ".."}}
    assert judged(after, attempt(before, 404), before, document=document)[0] is Chance.FAILS


def test_validators_are_asked_about_the_recorded_response(delivery_plan: Build) -> None:
    before = delivery_plan(response_validators=(NOT_OK,))
    good, bad = (attempt(before, 200, text, rejected=True) for text in (b'{"ok": true}', b'{"ok": 3}'))
    after = delivery_plan(response_validators=(OK,))
    assert judged(after, good, before) == (Chance.REPAIRED, "the validators accept the recorded response now")
    fails = "the validators reject the recorded response, and nothing changes that matters for it"
    assert judged(after, bad, before) == (Chance.FAILS, fails)
    assert judged(delivery_plan(response_validators=()), bad, before)[0] is Chance.REPAIRED
    other = delivery_plan(response_validators=(OK,), body_template=BODY)
    assert judged(other, bad, before)[0] is Chance.POSSIBLE
    assert judged(delivery_plan(response_validators=(OK,), outcomes={"mismatch": "delivered"}), bad, before) == (
        Chance.REPAIRED,
        "a mismatch before, which counts as delivered now",
    )


def test_a_status_that_counts_as_delivered_now(delivery_plan: Build) -> None:
    before = delivery_plan()
    last = attempt(before, 409)
    for outcomes in ({"409": "delivered"}, {"4xx": "delivered"}):
        why = "HTTP 409 before, which counts as delivered now"
        assert judged(delivery_plan(outcomes=outcomes), last, before) == (Chance.REPAIRED, why)
    assert judged(delivery_plan(outcomes={"409": "retry"}), last, before)[0] is Chance.FAILS


def test_an_event_that_the_webhook_no_longer_accepts_is_not_sent(delivery_plan: Build) -> None:
    before, last = delivery_plan(), attempt(delivery_plan(), 404)
    rejecting = delivery_plan(**OTHER_URL, when="data.severity == 'Nothing'")
    assert judged(rejecting, last, before) == (Chance.FAILS, "`when` does not accept the event")
    failing = delivery_plan(**OTHER_URL, when="abs(data.title) == `1`")
    assert judged(failing, last, before) == (Chance.FAILS, "`when` cannot be evaluated for the event")
    other = delivery_plan(**OTHER_URL, events=("access_request",))
    assert judged(other, last, before) == (Chance.FAILS, "the webhook has another event type")


def test_without_an_attempt(delivery_plan: Build) -> None:
    plan, dead, held = delivery_plan(), DeliveryStatus.DEAD, DeliveryStatus.HELD
    assert judged(plan, None, status=dead, attempts=0) == (
        Chance.REPAIRED,
        "`when` could not be evaluated before, and accepts the event now",
    )
    assert judged(plan, None, status=held, attempts=0) == (Chance.POSSIBLE, "it was not tried yet")
    assert judged(plan, None, status=dead, attempts=2) == (Chance.FAILS, "its last attempt cannot be read")


def test_without_the_plan_of_the_attempt_what_is_not_known_counts_as_unchanged(delivery_plan: Build) -> None:
    last = attempt(delivery_plan(), 404)
    assert judged(delivery_plan(**OTHER_AUTH), last)[0] is Chance.FAILS
    assert judged(delivery_plan(**OTHER_URL), last)[0] is Chance.POSSIBLE


def test_reasons_are_short(delivery_plan: Build) -> None:
    plan = delivery_plan(url="https://siem.example.com/{{ data.title }}", headers={f"X-{'a' * 300}": "{{ data.x }}"})
    assert len(judged(plan, attempt(delivery_plan(), 404))[1]) == MAX_WHY


def test_every_result_of_the_table_has_what_matters() -> None:
    certain = {FailureKind.RENDER.value, FailureKind.LOCAL.value}
    for row in TABLE:
        for result in set(row.results) - certain:
            assert MATTERS.get(result) or matters(result.replace("xx", "99"))
    assert matters("0")
    assert matters("999")
    assert result_of(Attempt(plan_digest="", number=1, started_at=0, request=None, response=None, failure=None,
                             timing=Timing())) == "0"  # fmt: skip


def test_inactive_webhooks_are_not_asked(delivery_plan: Build) -> None:
    assert not Conditions().lets(delivery_plan(status=Status.INACTIVE), EVENT)


def test_groups_are_ordered_by_size(delivery_plan: Build) -> None:
    before, after = delivery_plan(), delivery_plan(**OTHER_URL)
    last = {result: attempt(before, result) for result in (404, 410, 429)}
    found = [Repairable(f"m{at}", DeliveryStatus.DEAD, "", 1, 1, EVENT, last[result], before)
             for at, result in enumerate((410, 404, 404, 429))]  # fmt: skip
    healing = healing_of(
        after,
        {DeliveryStatus.DEAD: found},
        {DeliveryStatus.DEAD: 9},
        repeating=partial(repeating, plugins=PLUGINS),
        lets=Conditions().lets,
    )
    (tried,) = healing.tried
    assert tried.groups[0] == Group(Chance.POSSIBLE, "HTTP 404 before, and the URL will be different", 2)
    assert (tried.total, tried.tried, tried.count(Chance.POSSIBLE), tried.count(Chance.FAILS)) == (9, 4, 3, 1)
    assert [one.id for one in healing.repairs] == ["m0", "m1", "m2"]


@given(
    st.dictionaries(st.tuples(st.text(max_size=2), st.sampled_from(DeliveryStatus)), st.integers(1, 3000), max_size=9)
)
def test_shares(counts: dict[tuple[str, DeliveryStatus], int]) -> None:
    found = shares(counts, 1000)
    assert found.keys() == counts.keys()
    assert all(found[key] <= counts[key] for key in counts)
    assert sum(found.values()) == min(1000, sum(counts.values()))
    least = min((found[key] for key in counts if found[key] < counts[key]), default=None)
    assert least is None or all(found[key] <= least + 1 for key in counts)
