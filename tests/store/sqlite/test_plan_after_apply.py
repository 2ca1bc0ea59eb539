"""After an apply there is nothing left to plan, however the files are written."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.config.diff import field_changes, make_plan, read_plan, to_document
from hookctl.config.directory import check_directory
from hookctl.model import Action, Plan
from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.applied import AppliedStore

PLUGINS = load_plugins()

words = st.from_regex(r"[A-Za-z][a-z]{0,8}", fullmatch=True)
names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}([ _-][A-Za-z0-9]{1,5}){0,2}", fullmatch=True)
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn", "Zl", "Zp", "Cf"]), max_size=20
).map(lambda text: f"x{text}")
printables = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="${}"), min_size=1, max_size=12
).map(lambda text: f"v{text}")
secrets = words.map(lambda word: f"${{env:{word.upper()}}}")
paths = st.from_regex(r"(/[a-z0-9]{1,6}){0,3}/?", fullmatch=True)
urls = st.builds(lambda host, path: f"https://{host.lower()}.example.com{path}", words, paths)
durations = st.builds(
    lambda number, unit: f"{number}{unit}",
    st.integers(1, 99) | st.just(1.5),
    st.sampled_from(["ms", "s", "m", "h", "d"]),
)
values = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.sampled_from([0.5, -2.25, 10.0]) | texts

Blocks = st.SearchStrategy[dict[str, Any]]
auth: Blocks = st.one_of(
    st.fixed_dictionaries({"type": st.just("bearer"), "token": secrets}),
    st.fixed_dictionaries({"type": st.just("basic"), "username": words, "password": secrets}),
    st.fixed_dictionaries(
        {
            "type": st.just("headers"),
            "headers": st.dictionaries(words.map(lambda word: f"X-Auth-{word}"), secrets, min_size=1, max_size=2),
        }
    ),
    st.fixed_dictionaries(
        {"type": st.just("oauth2"), "client_id": secrets, "client_secret": secrets, "token_url": urls},
        optional={"scopes": st.lists(words, min_size=1, max_size=3, unique=True)},
    ),
)
validators: Blocks = st.one_of(
    st.fixed_dictionaries(
        {
            "json_path": st.sampled_from(["$.data.status", "$.data.items[*].ok", "$.status"]),
            "expected_values": st.lists(values, min_size=1, max_size=3),
        },
        optional={"match": st.sampled_from(["all", "any"]), "type": st.just("json_path")},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("jmespath"),
            "expression": st.just("data.ok"),
            "expected_values": st.lists(values, min_size=1, max_size=2),
        }
    ),
    st.fixed_dictionaries(
        {"type": st.just("status"), "codes": st.lists(st.integers(200, 299), min_size=1, max_size=3, unique=True)}
    ),
)
templates = st.builds(
    lambda key, expression, gap: f'{{{gap}"{key}": {expression}{gap}}}{gap}',
    words,
    st.sampled_from(
        ['"{{ data.severity }}"', "{{ data.request }}", '"at {{ event_time }} for {{ data.title }}"', "1.50", "[]"]
    ),
    st.sampled_from(["", " ", "\n", "\n  "]),
)
webhooks: Blocks = st.fixed_dictionaries(
    {"name": names, "event": st.just("anomaly"), "url": urls},
    optional={
        "version": st.just(1),
        "description": texts,
        "labels": st.dictionaries(words, texts, max_size=3),
        "protected": st.booleans(),
        "status": st.sampled_from(["active", "inactive"]),
        "when": st.sampled_from(["data.severity == 'High'", "contains(['Low'], data.severity)"]),
        "method": st.sampled_from(["POST", "PUT", "PATCH"]),
        "headers": st.dictionaries(words.map(lambda word: f"X-{word.title()}"), printables | secrets, max_size=3),
        "auth": auth | st.lists(auth, min_size=1, max_size=2, unique_by=lambda block: block["type"] == "headers"),
        "body_template": templates,
        "timeout_seconds": st.integers(1, 300) | st.sampled_from([0.5, 10.0, 2.25]),
        "response_validators": st.lists(validators, max_size=3),
        "custom_validation_error_message": texts,
        "retry": st.fixed_dictionaries({}, optional={"schedule": st.lists(durations, max_size=4)}),
        "rate_limit": st.sampled_from(["50/s", "100/m", "7/h", "0.5/s"]),
        "max_in_flight": st.integers(1, 2000),
    },
)
directories = st.lists(webhooks, min_size=1, max_size=3, unique_by=lambda webhook: webhook["name"].casefold())


def respelled(value: Any, random: Any) -> Any:
    """The same JSON value in another order of keys and with numbers in their other spelling."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: respelled(value[key], random) for key in keys}
    if isinstance(value, list):
        return [respelled(item, random) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and random.random() < 0.5:
        return float(value)
    return value


def respelled_webhook(webhook: dict[str, Any], random: Any) -> dict[str, Any]:
    fields = {"status": "active", "method": "POST", "timeout_seconds": 15, "protected": False, "labels": {}, **webhook}
    fields.pop("version", None)
    if isinstance(fields.get("auth"), dict):
        fields["auth"] = [fields["auth"]]
    validators = [
        {"type": "json_path", **block} if "json_path" in block else block
        for block in fields.get("response_validators", [])
    ]
    return {
        key: value if key == "retry" else respelled(value, random)
        for key, value in {**fields, "response_validators": validators}.items()
    }


@contextmanager
def a_project() -> Iterator[tuple[Path, AppliedStore]]:
    with tempfile.TemporaryDirectory() as root:
        directory = Path(root) / "webhooks.d"
        directory.mkdir()
        yield directory, AppliedStore(Path(root) / "hookctl.db")


def plan_of(directory: Path, store: AppliedStore) -> Plan:
    checked = check_directory(directory, PLUGINS)
    assert checked.valid, [(finding.rule, finding.message) for finding in checked.findings]
    return make_plan(store.read(), checked.plans, {"hookctl": "0.1.0"})


def as_blocks(documents: list[dict[str, Any]]) -> str:
    return yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False)


def as_json(documents: list[dict[str, Any]]) -> str:
    return "".join(f"---\n{json.dumps(document, ensure_ascii=False)}\n" for document in documents)


@settings(max_examples=settings().max_examples // 2)
@given(directories, st.randoms(use_true_random=False))
def test_plan_after_apply_is_empty(documents: list[dict[str, Any]], random: Any) -> None:
    with a_project() as (directory, store):
        (directory / "all.yaml").write_text(as_blocks(documents), encoding="utf-8")
        plan = plan_of(directory, store)
        assert {change.action for change in plan.changes} == {Action.CREATE}
        assert store.apply(read_plan(json.dumps(to_document(plan)))).serial == 1
        assert not plan_of(directory, store).has_changes
        (directory / "all.yaml").unlink()
        for number, document in enumerate(documents):
            (directory / f"{number}.yml").write_text(
                as_json([respelled_webhook(document, random)]).replace("\n", "\r\n"), encoding="utf-8"
            )
        after = plan_of(directory, store)
        assert [change.fields for change in after.changes if change.action is not Action.UNCHANGED] == []
        assert not after.has_changes


@settings(max_examples=settings().max_examples // 4)
@given(directories, directories)
def test_every_step_between_two_directories_is_in_the_plan(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    with a_project() as (directory, store):
        for documents in (first, second):
            (directory / "all.yaml").write_text(
                as_blocks([{**document, "protected": False} for document in documents]), encoding="utf-8"
            )
            plan = plan_of(directory, store)
            state = store.apply(plan)
            assert set(state.plans) == {document["name"] for document in documents}
            assert all(field_changes(change) for change in plan.changes if change.action is not Action.RENAME)
            assert not plan_of(directory, store).has_changes
