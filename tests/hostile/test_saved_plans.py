"""A saved plan that somebody forged: whatever it holds, what is applied was shown before, and `validate` accepts it."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookctl.cli import plan_file
from hookctl.config.compile import written_fields
from hookctl.config.diff import make_plan, to_document
from hookctl.config.diff.document import plan_in
from hookctl.model import AppliedState, DeliveryPlan
from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.applied import AppliedStore

Run = Callable[..., Any]
SIEM = """\
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth: {type: bearer, token: "${env:SIEM_TOKEN}"}
headers: {X-Source: hookctl}
body_template: '{"title": "{{ data.title }}"}'
response_validators: [{json_path: $.data.status, expected_values: [ok]}]
retry: {schedule: [5s, 5m]}
rate_limit: 50/s
"""
TICKETS = "name: Tickets\nevent: anomaly\nurl: https://tickets.example.com/\nprotected: true\n"
OTHER = "name: Other\nevent: anomaly\nurl: https://other.example.com/\n"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which three webhooks are applied, and a plan that changes one, adds one and removes one."""
    from hookctl.cli.main import hookctl

    root = tmp_path_factory.mktemp("planned")
    folder = root / "webhooks.d"
    folder.mkdir()
    files = {"siem": SIEM, "tickets": TICKETS, "other": OTHER}
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    arguments = ["--dir", str(folder), "--store", f"sqlite:///{root}/hookctl.db"]
    quiet = ["--format", f"json={root}/report.json"]
    hookctl.main([*arguments, "apply", "--auto-approve", *quiet], standalone_mode=False)
    (folder / "siem.yaml").write_text(SIEM.replace("/ingest", "/v2"))
    (folder / "other.yaml").write_text(OTHER.replace("Other", "New").replace("other", "new"))
    hookctl.main([*arguments, "plan", "--out", str(root / "plan.json"), *quiet], standalone_mode=False)
    return root


@pytest.fixture
def root(planned: Path, tmp_path: Path) -> Path:
    """A copy of that project: where its store and its saved plan are."""
    for name in ("hookctl.db", "plan.json"):
        shutil.copy(planned / name, tmp_path / name)
    return tmp_path


def forged(document: dict[str, Any]) -> dict[str, Any]:
    """The document with everything made right that anyone can compute: fields, actions, summary and digest."""
    sides: dict[str, dict[str, DeliveryPlan]] = {"before": {}, "after": {}}
    for side, plans in sides.items():
        for change in document["changes"]:
            if change[side] is not None:
                plan = DeliveryPlan.from_json(change[side])
                plans[plan.name] = plan
    applied = AppliedState(document["serial"], sides["before"])
    made = make_plan(applied, sides["after"], document["versions"], only=document["only"])
    return {**document, **to_document(replace(made, digests=document["unchanged"]))}


def applied_digests(root: Path) -> tuple[int, dict[str, str]]:
    state = AppliedStore(root / "hookctl.db").read()
    return state.serial, {name: plan.digest for name, plan in state.plans.items()}


def apply(run_cli: Run, root: Path, *options: str) -> Any:
    return run_cli("--store", "sqlite:///hookctl.db", "apply", "plan.json", "--auto-approve", *options, cwd=root)


def of(document: dict[str, Any], name: str) -> dict[str, Any]:
    (change,) = [change for change in document["changes"] if change["name"] == name]
    after: dict[str, Any] = change["after"]
    return after


def test_the_plan_itself_is_applied(run_cli: Run, root: Path) -> None:
    document = json.loads((root / "plan.json").read_text())
    assert {change["name"]: change["action"] for change in document["changes"]} == {
        "New": "create",
        "Other": "delete",
        "Siem": "update",
    }
    assert [*document["unchanged"]] == ["Tickets"]
    (root / "plan.json").write_text(json.dumps(forged(document)))
    assert apply(run_cli, root).exit_code == 0
    assert applied_digests(root)[0] == 2


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"url": "http://siem.example.com/"}, "error[url-scheme]"),
        ({"url": "https://siem.example.com:8443/"}, "error[url-port]"),
        ({"url": "https://10.0.0.1/"}, "error[url-"),
        ({"url": "https://user:pw@siem.example.com/"}, "error[url-user"),
        ({"url": 5}, "altered"),
        ({"auth": [{"type": "bearer", "settings": {"token": "literal-canary"}}]}, "error[secret-literal]"),
        ({"auth": [{"type": "bearer", "settings": {"token": "${vault:x}"}}]}, "error[unknown-secret-scheme]"),
        (
            {"auth": [{"type": "bearer", "settings": {"token": "${env:T}", "type": "basic"}}]},
            "not compiled from a webhook",
        ),
        ({"auth": [{"type": "nonsense", "settings": {}}]}, "error[unknown-plugin]"),
        ({"auth": [{"type": "bearer", "settings": {"token": "${env:T}", "extra": 1}}]}, "error[unknown-field]"),
        ({"transport": {"type": "telnet", "settings": {}}}, "error[unknown-plugin]"),
        ({"headers": {"Host": "evil.example"}}, "error[header-reserved]"),
        ({"headers": {"X": "a\r\nB: c"}}, "error[header-invalid]"),
        ({"event": "nonsense"}, "error[unknown-event-type]"),
        ({"when": "data.["}, "error[when-"),
        ({"body_template": "{{"}, "error[template-"),
        ({"body_template": '{"a": "{{ data.nonsense }}"}'}, "error[template-unknown-path]"),
        ({"body_template": "{\r\n}"}, "not compiled from a webhook"),
        ({"name": "../x"}, "error[name-invalid]"),
        ({"name": "tickets"}, "error[name-duplicate]"),
        ({"timeout_seconds": 1e9}, "error[out-of-range]"),
        ({"timeout_seconds": 5.0}, "not compiled from a webhook"),
        ({"timeout_seconds": 10**4000}, "error[yaml-ambiguous-number]"),
        ({"retry_schedule": [1 / 3]}, "error[wrong-"),
        ({"retry_schedule": [1] * 51}, "error[out-of-range]"),
        ({"rate_limit": 1e12}, "error[wrong-"),
        ({"max_in_flight": 10**6}, "error[out-of-range]"),
        ({"response_validators": [{"type": "json_path", "settings": {"json_path": "$..["}}]}, "error["),
        (
            {"response_validators": [{"type": "status", "settings": {"codes": [10**30]}}]},
            "error[yaml-ambiguous-number]",
        ),
        ({"description": "x" * 2**20}, "error[file-too-large]"),
        ({"labels": {"a": "\ud800"}}, "altered"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else None,
)
def test_what_validate_refuses_is_not_applied(run_cli: Run, root: Path, changed: dict[str, Any], expected: str) -> None:
    """The digest is right each time: whoever can write the file can compute it."""
    before = applied_digests(root)
    document = json.loads((root / "plan.json").read_text())
    name = changed.get("name", "New")
    of(document, "New").update(changed)
    try:
        document = forged(document)
    except (ValueError, TypeError, OverflowError):  # not even a digest can be computed
        of(document, name).update(changed)
    (root / "plan.json").write_text(json.dumps(document))
    result = apply(run_cli, root)
    assert result.exit_code == 1
    assert expected in result.stdout + result.stderr
    assert "literal-canary" not in result.stdout + result.stderr
    assert applied_digests(root) == before


@pytest.mark.parametrize("form", ["json", "markdown", "github", "sarif"])
def test_what_is_wrong_is_said_in_every_form(run_cli: Run, root: Path, form: str) -> None:
    document = json.loads((root / "plan.json").read_text())
    of(document, "New")["url"] = "http://new.example.com/"
    (root / "plan.json").write_text(json.dumps(forged(document)))
    result = apply(run_cli, root, "--format", form)
    assert (result.exit_code, "url-scheme" in result.stdout, "plan.json" in result.stdout) == (1, True, True)


def test_what_is_applied_is_not_taken_from_the_file(run_cli: Run, root: Path) -> None:
    """A forger cannot show a change as smaller than it is, or a protected webhook as one that is not."""
    before = applied_digests(root)
    document = json.loads((root / "plan.json").read_text())
    del document["unchanged"]["Tickets"]
    removal = next(change for change in document["changes"] if change["action"] == "delete")
    tickets = {**removal["before"], "name": "Tickets", "protected": False}
    document["changes"].append({**removal, "name": "Tickets", "before": tickets})
    (root / "plan.json").write_text(json.dumps(forged(document)))
    result = apply(run_cli, root)
    assert (result.exit_code, "the plan is stale" in result.stderr) == (1, True)
    assert applied_digests(root) == before


def test_a_webhook_that_the_file_leaves_out(run_cli: Run, root: Path) -> None:
    before = applied_digests(root)
    document = json.loads((root / "plan.json").read_text())
    del document["unchanged"]["Tickets"]
    (root / "plan.json").write_text(json.dumps(forged(document)))
    result = apply(run_cli, root)
    assert (result.exit_code, "the plan is stale" in result.stderr) == (1, True)
    assert applied_digests(root) == before


def test_policies_and_limits_are_those_of_now(run_cli: Run, root: Path) -> None:
    rules = "[safety]\nremoval_minimum = 1\nremoval_percent = 10\n[policies.timeout_at_most]\nseconds = 1\n"
    (root / "hookctl.toml").write_text(rules)
    result = apply(run_cli, root)
    assert result.exit_code == 1
    assert "error[removals]" in result.stdout
    assert "error[timeout_at_most]" in result.stdout


# -- files that are no plans --

DEEP = 100_000


def hostile_texts() -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "not JSON", b"name: Siem"
    yield "not UTF-8", b"\xff\xfe\x00"
    yield "deep", b"[" * DEEP
    yield "deep objects", b'{"a":' * DEEP
    yield "long number", b'{"format_version": ' + b"9" * 5000 + b"}"
    yield "great number", b'{"format_version": "2.0", "serial": 1e999}'
    yield "NaN", b'{"format_version": "2.0", "serial": NaN}'
    yield "wrong types", b'{"format_version": "2.0", "serial": [], "changes": {"a": 1}, "summary": 3, "versions": null}'
    yield "no changes", b'{"format_version": "2.0"}'
    yield "a format that is a list", b'{"format_version": ["\\u001b[2J"]}'
    yield "surrogates", b'{"format_version": "2.0", "serial": 0, "\\ud800": "\\udfff"}'
    yield "NUL", b"\0" * 1000
    yield "many values", b'{"format_version": "2.0", "a": [' + b"[]," * plan_file.MAX_VALUES


@pytest.mark.parametrize("verify", [False, True], ids=["plain", "verify"])
@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in hostile_texts()])
def test_what_is_no_plan_has_one_clear_error(run_cli: Run, root: Path, content: bytes, verify: bool) -> None:
    before = applied_digests(root)
    (root / "plan.json").write_bytes(content)
    options = ("--verify", "${file:key}") if verify else ()
    (root / "key").write_text("k" * 32)
    result = apply(run_cli, root, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr) < 1000
    assert "\x1b" not in result.stderr
    assert not re.search("recursion|Exceeds the limit", result.stderr), "the wording is Python's"
    assert applied_digests(root) == before


def test_a_pipe_a_directory_and_a_device(run_cli: Run, root: Path) -> None:
    (root / "plan.json").unlink()
    os.mkfifo(root / "plan.json")
    result = apply(run_cli, root)
    assert (result.exit_code, "not a regular file" in result.stderr) == (1, True)
    (root / "plan.json").unlink()
    (root / "plan.json").symlink_to("/dev/zero")
    result = apply(run_cli, root)
    assert (result.exit_code, "it points outside its directory" in result.stderr) == (1, True)


def test_a_file_of_a_gigabyte_is_not_read(run_cli: Run, root: Path) -> None:
    with (root / "plan.json").open("wb") as file:
        file.truncate(2**30)
    result = apply(run_cli, root)
    assert (result.exit_code, "is larger than 256 MiB" in result.stderr) == (1, True)


def test_no_plan_is_saved_that_could_not_be_read(
    run_cli: Run,
    planned: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(plan_file, "MAX_VALUES", 10)
    options = ("--dir", str(planned / "webhooks.d"), "--store", f"sqlite:///{planned}/hookctl.db")
    result = run_cli(*options, "plan", "--out", "plan.json", cwd=tmp_path)
    assert (result.exit_code, "contains more than 10 values" in result.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


# -- any change at all --

PLUGINS = load_plugins()
POOL: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**70,
    "",
    "x",
    "Siem",
    "siem",
    "New",
    "https://evil.example.com/",
    "http://evil.example.com/",
    "https://evil.example.com:81/",
    "${env:A}",
    "inactive",
    "PUT",
    "bearer",
    "\x1b[2J\u202e",
    "\ud800",
    [],
    {},
    [1],
    {"type": "bearer", "settings": {"token": "literal"}},
    {"type": "bearer", "settings": {"token": "${env:B}"}},
    {"X-A": "1"},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


@st.composite
def mutations(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """The document with up to three places replaced, removed, added to, or copied from another place."""
    for _ in range(draw(st.integers(1, 3))):
        every = [path for path in places(document) if path]
        side = draw(st.sampled_from(["after", "before", None]))  # most places are in what is worked out again
        of_side = [path for path in every if side is None or (len(path) > 3 and path[2] == side)]
        path = draw(st.sampled_from(of_side or every))
        around: Any = document
        for part in path[:-1]:
            around = around[part]
        what = draw(st.sampled_from(["replace", "replace", "copy", "remove", "add"]))
        if what == "replace":
            around[path[-1]] = draw(st.sampled_from(POOL))
        elif what == "copy":
            source: Any = document
            for part in draw(st.sampled_from(every)):
                source = source[part]
            around[path[-1]] = copy.deepcopy(source)
        elif what == "remove":
            del around[path[-1]]
        elif isinstance(around, dict):
            around[draw(st.sampled_from(["x", "type", "Z"]))] = draw(st.sampled_from(POOL))
        else:
            around.append(copy.deepcopy(around[path[-1]]))
    return document


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), recompute=st.booleans())
def test_any_change_is_refused_or_shown_and_valid(
    run_cli: Run,
    planned: Path,
    data: st.DataObject,
    recompute: bool,
) -> None:
    original = json.loads((planned / "plan.json").read_text())
    document = data.draw(mutations(copy.deepcopy(original)))
    if recompute:
        # What no forger can make right, either, is left as it is.
        with suppress(KeyError, TypeError, ValueError, AttributeError, IndexError):
            document = forged(document)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(planned / "hookctl.db", root / "hookctl.db")
        (root / "plan.json").write_text(json.dumps(document))
        before = applied_digests(root)
        result = apply(run_cli, root, "--format", "json")
        after = applied_digests(root)
        if result.exit_code:
            assert (result.exit_code, after) == (1, before)
            assert "Error: " in result.stderr or '"severity": "error"' in result.stdout
            return
        shown = plan_in(json.loads(result.stdout))
        changed = {change.after.name: change.after.digest for change in shown.changes if change.after}
        assert {**shown.digests, **changed} == after[1]
        assert_files_say_the_same(run_cli, root)


def assert_files_say_the_same(run_cli: Run, root: Path) -> None:
    """Every applied webhook, written into a file, is valid and compiles to what is applied."""
    (root / "webhooks.d").mkdir()
    for name, plan in AppliedStore(root / "hookctl.db").read().plans.items():
        (root / f"webhooks.d/{name}.yaml").write_text(json.dumps(written_fields(plan, PLUGINS)))
    assert run_cli("validate", cwd=root).exit_code == 0
    result = run_cli("--store", "sqlite:///hookctl.db", "plan", "--detailed-exitcode", cwd=root)
    assert result.exit_code == 0, result.stdout
