"""A saved plan: read back as it was written, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from hookctl.config.diff import make_plan, read_plan, to_document
from hookctl.errors import AlteredPlanError, StateError
from hookctl.model import AppliedState, DeliveryPlan, Plan, PluginBlock, Revision
from hookctl.schema_files import read_schema

Build = Callable[..., DeliveryPlan]


@pytest.fixture
def plan(delivery_plan: Build) -> Plan:
    auth = (PluginBlock("headers", {"headers": {"a/b~c": "${env:T}"}}),)
    applied = {
        "Gone": delivery_plan("Gone"),
        "Siem": delivery_plan(),
        "Kept": delivery_plan("Kept", body_template="{}"),
        "Old": delivery_plan("Old", url="x"),
    }
    desired = {
        "Siem": delivery_plan(auth=auth, headers={"X": "1"}),
        "Kept": applied["Kept"],
        "Neu": delivery_plan("Neu", rate_limit=0.5, description="für alle"),
        "Over": delivery_plan("Over", url="x"),
    }
    return make_plan(AppliedState(7, applied), desired, {"hookctl": "1.2.3", "acme": "2"})


def test_a_narrowed_plan_and_one_against_a_revision_are_read_back(delivery_plan: Build) -> None:
    equal = {name: delivery_plan(name) for name in ("A", "B", "C")}
    state = AppliedState(1, {name: equal[name] for name in ("A", "B")})
    for only in ({"B", "C"}, {"C"}, {"A"}):
        plan = make_plan(state, {"C": equal["C"]}, {"hookctl": "1"}, only=only)
        assert read_plan(json.dumps(to_document(plan))) == replace(plan, unchanged={})
    plan = make_plan(state, {}, {"hookctl": "1"}, against=Revision("origin/main", "a" * 40))
    assert read_plan(json.dumps(to_document(plan))) == replace(plan, unchanged={})


def test_read_back_as_written(plan: Plan) -> None:
    assert read_plan(json.dumps(to_document(plan))) == replace(plan, unchanged={})
    assert read_plan(json.dumps({**to_document(plan), "findings": [{"policy": "x"}]})) == replace(plan, unchanged={})


def test_it_is_as_the_schema_says(plan: Plan) -> None:
    jsonschema.Draft202012Validator.check_schema(read_schema("plan.schema.json"))
    validator = jsonschema.Draft202012Validator(read_schema("plan.schema.json"))
    validator.validate({**to_document(plan), "findings": []})
    assert not validator.is_valid(to_document(plan) | {"findings": [], "extra": 1})


def test_every_property_of_the_schema_is_described() -> None:
    def undescribed(where: str, node: Any) -> list[str]:
        if isinstance(node, list):
            return [line for index, item in enumerate(node) for line in undescribed(f"{where}/{index}", item)]
        if not isinstance(node, dict):
            return []
        missing = [
            f"{where}/{name}" for name, schema in node.get("properties", {}).items() if not schema.get("description")
        ]
        return missing + [line for key, value in node.items() for line in undescribed(f"{where}/{key}", value)]

    assert undescribed("", read_schema("plan.schema.json")) == []


def test_pointers_lead_to_the_values(plan: Plan) -> None:
    def follow(document: Any, pointer: str) -> Any:
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            document = document[int(key)] if isinstance(document, list) else document[key]
        return document

    (change,) = [change for change in json.loads(json.dumps(to_document(plan)))["changes"] if change["name"] == "Siem"]
    assert {field["pointer"] for field in change["fields"]} == {
        "/headers/X",
        "/auth/0/type",
        "/auth/0/settings/headers/a~1b~0c",
    }
    for field in change["fields"]:
        assert follow(change["after"], field["pointer"]) == field["after"]


def alter(document: Any, path: list[str | int], value: Any) -> None:
    for part in path[:-1]:
        document = document[part]
    document[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["serial"], 8),
        (["serial"], "7"),
        (["serial"], 7.0),
        (["digest"], "0" * 64),
        (["versions", "hookctl"], "9"),
        (["versions"], None),
        (["summary", "create"], 0),
        (["extra"], 1),
        (["only"], ["Siem"]),
        (["against"], {"ref": "main", "commit": "a" * 40}),
        (["changes", 2, "renamed_from"], None),
        (["changes", 2, "before", "name"], "Gone"),
        (["unchanged", "Kept"], "0" * 64),
        (["unchanged", "Siem"], "0" * 64),
        (["unchanged"], {}),
        (["changes"], []),
        (["changes"], {}),
        (["changes", 0], 5),
        (["changes", 0, "name"], "Other"),
        (["changes", 0, "before"], None),
        (["changes", 1, "after", "url"], "https://evil.example.com/"),
        (["changes", 1, "after", "protected"], 0),
        (["changes", 1, "after", "timeout_seconds"], float("nan")),
        (["changes", 1, "after", "format"], 2),
        (["changes", 1, "after", "status"], "off"),
        (["changes", 1, "after", "auth"], "x"),
        (["changes", 3, "action"], "unchanged"),
        (["changes", 3, "fields"], []),
        (["changes", 3, "after", "headers"], None),
        (["changes", 3, "after", "headers"], {"X": "\ud800"}),
    ],
)
def test_any_alteration_is_found(plan: Plan, path: list[str | int], value: Any) -> None:
    document = json.loads(json.dumps(to_document(plan)))
    alter(document, path, value)
    with pytest.raises(AlteredPlanError, match="altered"):
        read_plan(json.dumps(document))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a saved plan"),
        ("{", "not a saved plan"),
        ("[" * 100_000, "not a saved plan"),
        ("[]", "no format_version"),
        ('{"a": 1}', "no format_version"),
        ('{"format_version": "3.0"}', "format version '3.0', but this hookctl reads '2.0'"),
        ('{"format_version": 1}', "format version 1"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, message: str) -> None:
    with pytest.raises(StateError, match=message):
        read_plan(text)
