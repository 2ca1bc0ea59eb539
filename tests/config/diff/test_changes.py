"""The difference between applied and desired delivery plans."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from hookctl.config.diff import field_changes, make_plan
from hookctl.model import Action, AppliedState, Change, DeliveryPlan, FieldChange, Plan, PluginBlock, Revision
from hookctl.on_demand import KnownPlans

VERSIONS = {"hookctl": "1.2.3"}
Build = Callable[..., DeliveryPlan]


def planned(*desired: DeliveryPlan, applied: tuple[DeliveryPlan, ...] = (), serial: int = 1) -> Plan:
    return make_plan(
        AppliedState(serial, {plan.name: plan for plan in applied}), {plan.name: plan for plan in desired}, VERSIONS
    )


def changed(before: DeliveryPlan, after: DeliveryPlan) -> dict[tuple[str | int, ...], tuple[Any, Any]]:
    (change,) = planned(after, applied=(before,)).changes
    assert change.action is Action.UPDATE
    return {field.pointer: (field.before, field.after) for field in change.fields}


def test_every_action_in_order_of_name(delivery_plan: Build) -> None:
    plan = planned(
        delivery_plan("new", timeout_seconds=2),
        delivery_plan("Kept"),
        delivery_plan("changed", url="https://b.example.com/"),
        applied=(delivery_plan("changed"), delivery_plan("Kept"), delivery_plan("Gone")),
    )
    assert [(change.name, change.action.value) for change in plan.changes] == [
        ("changed", "update"),
        ("Gone", "delete"),
        ("new", "create"),
    ]
    assert plan.has_changes
    assert plan.changes[0].fields == (
        FieldChange(("url",), "https://siem.example.com/ingest", "https://b.example.com/"),
    )
    assert [*plan.unchanged] == ["Kept"]


def test_no_changes(delivery_plan: Build) -> None:
    plan = planned(delivery_plan(), applied=(delivery_plan(),))
    assert not plan.has_changes
    assert plan.changes == ()
    assert plan.unchanged == {"Siem": delivery_plan()}
    assert not planned().has_changes


def renames(plan: Plan) -> dict[str, str]:
    return {change.renamed_from: change.name for change in plan.changes if change.renamed_from}


def actions(plan: Plan) -> dict[str, str]:
    return {change.name: change.action.value for change in plan.changes} | dict.fromkeys(plan.unchanged, "unchanged")


def test_one_content_under_another_name_is_a_rename(delivery_plan: Build) -> None:
    plan = planned(delivery_plan("New", labels={"a": "b"}), applied=(delivery_plan("Old", labels={"a": "b"}),))
    assert plan.changes == (
        Change("New", Action.RENAME, delivery_plan("Old", labels={"a": "b"}), delivery_plan("New", labels={"a": "b"})),
    )
    assert renames(plan) == {"Old": "New"}
    assert plan.has_changes


@pytest.mark.parametrize(
    "fields", [{"labels": {"a": "b"}}, {"description": "x"}, {"url": "https://b.example.com/"}, {"timeout_seconds": 9}]
)
def test_any_other_difference_makes_it_another_webhook(delivery_plan: Build, fields: dict[str, Any]) -> None:
    plan = planned(delivery_plan("New", **fields), applied=(delivery_plan("Old"),))
    assert actions(plan) == {"New": "create", "Old": "delete"}


def test_a_name_of_other_case_is_a_rename_whatever_else_changes(delivery_plan: Build) -> None:
    plan = planned(delivery_plan("SIEM", timeout_seconds=2), applied=(delivery_plan("siem"),))
    (change,) = plan.changes
    assert (change.name, change.action, change.renamed_from) == ("SIEM", Action.RENAME, "siem")
    assert change.fields == (FieldChange(("timeout_seconds",), 15, 2),)


def test_a_name_of_other_case_comes_before_equal_content(delivery_plan: Build) -> None:
    plan = planned(
        delivery_plan("SIEM", timeout_seconds=2),
        delivery_plan("Other"),
        applied=(delivery_plan("siem"), delivery_plan("Gone", timeout_seconds=2)),
    )
    assert actions(plan) == {"Gone": "delete", "Other": "create", "SIEM": "rename"}


def test_with_two_candidates_it_is_no_rename(delivery_plan: Build) -> None:
    one, two = (delivery_plan("Old 1"), delivery_plan("Old 2")), (delivery_plan("New 1"), delivery_plan("New 2"))
    assert actions(planned(*two, applied=one[:1])) == {"New 1": "create", "New 2": "create", "Old 1": "delete"}
    assert actions(planned(*two[:1], applied=one)) == {"New 1": "create", "Old 1": "delete", "Old 2": "delete"}
    assert renames(planned(*two, applied=one)) == {}
    kept = delivery_plan("Kept")
    assert renames(planned(two[0], kept, applied=(one[0], kept))) == {"Old 1": "New 1"}


def test_names_that_change_places_are_two_updates(delivery_plan: Build) -> None:
    plan = planned(
        delivery_plan("A", timeout_seconds=2),
        delivery_plan("B"),
        applied=(delivery_plan("A"), delivery_plan("B", timeout_seconds=2)),
    )
    assert actions(plan) == {"A": "update", "B": "update"}


def narrowed(only: set[str], *desired: DeliveryPlan, applied: tuple[DeliveryPlan, ...]) -> Plan:
    return make_plan(
        AppliedState(1, {plan.name: plan for plan in applied}),
        {plan.name: plan for plan in desired},
        VERSIONS,
        only=only,
    )


def test_only_some_names_leaves_all_others_as_they_are(delivery_plan: Build) -> None:
    applied = (delivery_plan("A"), delivery_plan("B", timeout_seconds=2), delivery_plan("C", timeout_seconds=3))
    desired = (
        delivery_plan("A", url="https://b.example.com/"),
        delivery_plan("B", timeout_seconds=4),
        delivery_plan("D", timeout_seconds=5),
    )
    assert actions(narrowed({"A"}, *desired, applied=applied)) == {"A": "update", "B": "unchanged", "C": "unchanged"}
    assert actions(narrowed({"C", "D"}, *desired, applied=applied)) == {
        "A": "unchanged",
        "B": "unchanged",
        "C": "delete",
        "D": "create",
    }
    plan = narrowed({"B", "A"}, *desired, applied=applied)
    assert plan.only == ("A", "B")
    assert [*plan.after] == [*desired[:2], applied[2]]


@pytest.mark.parametrize("name", ["Old", "New"])
def test_either_name_of_a_rename_stands_for_it(delivery_plan: Build, name: str) -> None:
    other = delivery_plan("Other", timeout_seconds=2)
    assert actions(narrowed({name}, delivery_plan("New"), other, applied=(delivery_plan("Old"),))) == {"New": "rename"}
    assert actions(narrowed({"Other"}, delivery_plan("New"), other, applied=(delivery_plan("Old"),))) == {
        "Old": "unchanged",
        "Other": "create",
    }


def test_fields_of_a_create_and_of_a_delete_mirror_each_other(delivery_plan: Build) -> None:
    full = delivery_plan(headers={"A": "1"}, auth=(PluginBlock("bearer", {"token": "${env:T}"}),), body_template="{}")
    (created,), (deleted,) = planned(full).changes, planned(applied=(full,)).changes
    assert {field.pointer for field in field_changes(created)} == {
        *(
            (name,)
            for name in (
                "event",
                "status",
                "method",
                "url",
                "body_template",
                "timeout_seconds",
                "retry_schedule",
                "protected",
            )
        ),
        ("headers", "A"),
        ("auth", 0, "type"),
        ("auth", 0, "settings", "token"),
    }
    assert all(field.before is None for field in field_changes(created))
    assert [(field.pointer, field.after, field.before) for field in field_changes(created)] == [
        (field.pointer, field.before, field.after) for field in field_changes(deleted)
    ]
    assert field_changes(created)[0].pointer == ("event",)


def test_a_created_webhook_that_is_never_tried_again_says_so(delivery_plan: Build) -> None:
    (change,) = planned(delivery_plan(retry_schedule=())).changes
    assert FieldChange(("retry_schedule",), None, []) in field_changes(change)


def test_headers_and_labels_change_one_by_one(delivery_plan: Build) -> None:
    before = delivery_plan(headers={"A": "1", "B": "2", "C": "3"}, labels={"team": "a"})
    after = delivery_plan(headers={"D": "4", "C": "3", "B": "two"}, labels={"team": "b"})
    assert changed(before, after) == {
        ("headers", "B"): ("2", "two"),
        ("headers", "D"): (None, "4"),
        ("headers", "A"): ("1", None),
        ("labels", "team"): ("a", "b"),
    }


def test_settings_change_one_by_one_and_lists_of_scalars_as_a_whole(delivery_plan: Build) -> None:
    oauth = PluginBlock("oauth2", {"client_id": "a", "scopes": ["r"], "extra": {"audience": "x"}})
    after = PluginBlock("oauth2", {"client_id": "b", "scopes": ["r", "w"], "extra": {"audience": "y"}})
    assert changed(delivery_plan(auth=(oauth,)), delivery_plan(auth=(after,))) == {
        ("auth", 0, "settings", "client_id"): ("a", "b"),
        ("auth", 0, "settings", "scopes"): (["r"], ["r", "w"]),
        ("auth", 0, "settings", "extra", "audience"): ("x", "y"),
    }


def test_a_block_that_comes_or_goes_is_shown_leaf_by_leaf(delivery_plan: Build) -> None:
    one, two = (
        PluginBlock("json_path", {"json_path": "$.data.a", "expected_values": [1]}),
        PluginBlock("status", {"codes": [202]}),
    )
    assert changed(delivery_plan(response_validators=(one,)), delivery_plan(response_validators=(one, two))) == {
        ("response_validators", 1, "type"): (None, "status"),
        ("response_validators", 1, "settings", "codes"): (None, [202]),
    }
    assert changed(delivery_plan(transport=two), delivery_plan()) == {
        ("transport", "type"): ("status", None),
        ("transport", "settings", "codes"): ([202], None),
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, True), (0, False), ("1", 1), (None, "null"), ([1], [True]), ([], {}), ({"a": 1}, [1]), ("", None)],
)
def test_values_that_python_takes_for_equal_are_told_apart(delivery_plan: Build, before: Any, after: Any) -> None:
    one, other = (delivery_plan(auth=(PluginBlock("x", {"key": value}),)) for value in (before, after))
    assert changed(one, other) == {("auth", 0, "settings", "key"): (before, after)}


def test_a_template_is_one_field(delivery_plan: Build) -> None:
    assert changed(delivery_plan(body_template="{\n}"), delivery_plan(body_template="{ \n}")) == {
        ("body_template",): ("{\n}", "{ \n}")
    }


def test_the_digest_covers_serial_versions_and_every_field(delivery_plan: Build) -> None:
    base = planned(delivery_plan())
    others = [
        planned(delivery_plan(), serial=2),
        make_plan(AppliedState(1, {}), {"Siem": delivery_plan()}, {"hookctl": "1.2.4"}),
        planned(delivery_plan("Other")),
        planned(delivery_plan(), applied=(delivery_plan(),)),
        planned(applied=(delivery_plan(),)),
        planned(delivery_plan(), applied=(delivery_plan("Other"),)),
        make_plan(AppliedState(1, {}), {"Siem": delivery_plan()}, VERSIONS, only={"Siem"}),
        make_plan(AppliedState(1, {}), {"Siem": delivery_plan()}, VERSIONS, against=Revision("main", "1" * 40)),
        make_plan(AppliedState(1, {}), {"Siem": delivery_plan()}, VERSIONS, against=Revision("main", "2" * 40)),
        *(
            planned(delivery_plan(**{name: value}))
            for name, value in {"url": "x", "labels": {"a": "b"}, "protected": True, "timeout_seconds": 16}.items()
        ),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == len(others) + 1
    assert planned(delivery_plan()).digest == base.digest


def test_protected_removals(delivery_plan: Build) -> None:
    kept, gone = delivery_plan("Kept", protected=True), delivery_plan("Gone", protected=True)
    plan = planned(
        dataclasses.replace(kept, protected=False),
        delivery_plan("New", protected=True, url="x"),
        applied=(kept, gone, delivery_plan("Free")),
    )
    assert plan.protected_removals == ("Gone",)
    assert planned(delivery_plan("Renamed", protected=True), applied=(gone,)).protected_removals == ()


A, B, C, D = (PluginBlock("status", {"codes": [code]}) for code in (200, 201, 202, 204))


def test_a_validator_that_comes_or_goes_leaves_the_others_alone(delivery_plan: Build) -> None:
    fewer, more = delivery_plan(response_validators=(A, C)), delivery_plan(response_validators=(A, B, C))
    place = ("response_validators", 1)
    assert changed(fewer, more) == {(*place, "type"): (None, "status"), (*place, "settings", "codes"): (None, [201])}
    assert changed(more, fewer) == {(*place, "type"): ("status", None), (*place, "settings", "codes"): ([201], None)}


def test_one_comes_and_another_changes(delivery_plan: Build) -> None:
    assert changed(
        delivery_plan(response_validators=(A, B, C)),
        delivery_plan(response_validators=(D, A, PluginBlock("status", {"codes": [1]}), C)),
    ) == {
        ("response_validators", 0, "type"): (None, "status"),
        ("response_validators", 0, "settings", "codes"): (None, [204]),
        ("response_validators", 2, "settings", "codes"): ([201], [1]),
    }


def test_a_block_without_settings_has_its_type_alone(delivery_plan: Build) -> None:
    assert changed(delivery_plan(), delivery_plan(transport=PluginBlock("requests", {}))) == {
        ("transport", "type"): (None, "requests")
    }
    assert changed(
        delivery_plan(auth=(PluginBlock("hmac", {"secret": "${env:S}"}),)),
        delivery_plan(auth=(PluginBlock("kerberos", {}),)),
    ) == {
        ("auth", 0, "type"): ("hmac", "kerberos"),
        ("auth", 0, "settings", "secret"): ("${env:S}", None),
    }


def test_what_is_unchanged_is_not_read(delivery_plan: Build) -> None:
    """Of thousands of webhooks a plan compares digests, and reads those alone that differ."""

    def read(name: str) -> DeliveryPlan:
        asked.append(name)
        return plans[name]

    asked: list[str] = []
    plans = {name: delivery_plan(name, url=f"https://{name.lower()}.example.com/") for name in ("b", "A", "c", "Gone")}
    known = KnownPlans({name: plan.digest for name, plan in plans.items()}, read)
    desired = {name: plans[name] for name in ("b", "A", "c")} | {"New": delivery_plan("New"), "c": delivery_plan("c")}
    plan = make_plan(AppliedState(1, known), desired, VERSIONS)
    assert [change.name for change in plan.changes] == ["c", "Gone", "New"]
    assert [*plan.unchanged] == [*plan.digests] == ["A", "b"]
    assert plan.digest == make_plan(AppliedState(1, plans), desired, VERSIONS).digest
    assert sorted(asked) == ["Gone", "c"]
    assert plan == make_plan(AppliedState(1, plans), desired, VERSIONS)
    assert sorted(asked) == ["A", "Gone", "b", "c"]
