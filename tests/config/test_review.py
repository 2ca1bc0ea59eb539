"""The review as a library: what embedders get is what the commands print."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import hookctl
from hookctl.config.review import Options, review, review_files
from hookctl.errors import InvalidFilesError, RevisionError, UnknownWebhookError
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]

FILES = {
    "webhooks.d/siem.yaml": (
        "name: Siem\nevent: anomaly\nurl: https://siem.example.com/in\nauth:\n  type: bearer\n  token: ${env:T}\n"
        'body_template: \'{"severity": "{{ data.severity }}", "title": "{{ data.title }}"}\'\n'
    ),
    "webhooks.d/tickets.yaml": "name: Tickets\nevent: anomaly\nurl: https://tickets.example.com/in\nlabels: {a: b}\n",
    "hookctl.toml": "[policies.owner_label]\nseverity = 'warning'\n",
}


def test_an_embedder_gets_what_plan_prints(
    project: Callable[..., Path], run_cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(FILES)
    monkeypatch.chdir(root)
    printed = run_cli("plan", "--format", "json", cwd=root)
    made = hookctl.review(
        Path("webhooks.d"), hookctl.load_plugins(), options=Options(policies={"owner_label": {"severity": "warning"}})
    )
    assert "".join(hookctl.plan_json(made)) == printed.stdout
    assert json.loads(printed.stdout)["findings"]


def test_an_embedder_gets_what_plan_prints_about_what_is_applied(
    project: Callable[..., Path], run_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project({"webhooks.d/siem.yaml": "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"})
    monkeypatch.chdir(root)
    assert hookctl.open_store("sqlite:///.hookctl/hookctl.db", create=False) is None
    run_cli("apply", "--auto-approve")
    (root / "webhooks.d/siem.yaml").write_text("name: Siem\nevent: anomaly\nurl: https://siem.example.org/\n")
    printed = run_cli("plan", "--format", "json")
    with closing(hookctl.open_store("sqlite:///.hookctl/hookctl.db")) as store:
        made = hookctl.review(Path("webhooks.d"), hookctl.load_plugins(), store)
    assert made.plan.serial == 1
    assert "".join(hookctl.plan_json(made)) == printed.stdout


def test_an_embedder_gets_what_test_prints(
    project: Callable[..., Path], run_cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as receiver:
        url = f"https://{receiver.host}/in"
        root = project({"webhooks.d/siem.yaml": f"name: Siem\nevent: anomaly\nurl: {url}\nbody_template: '{{}}'\n"})
        monkeypatch.chdir(root)
        to = f"{receiver.host}:443:{receiver.address}:{receiver.port}"
        options = ("--connect-to", to, "--cacert", receiver.ca_file)
        printed = json.loads(run_cli("test", "--format", "json", *options, cwd=root).stdout)
        plugins = hookctl.load_plugins()
        files = hookctl.check_directory(Path("webhooks.d"), plugins)
        pairs = [(plan, plugins.event_types[plan.events[0]].mock) for plan in files.plans.values()]
        made = json.loads(hookctl.trials_json(hookctl.send_tests(pairs, plugins, receiver.network())))
    assert without_times(made) == without_times(printed)
    assert [test["webhook"] for test in made["tests"]] == ["Siem"]


TIMED = {"timing", "started_at", "date", "webhook-id", "webhook-timestamp"}
"""What differs from one request to the next."""


def without_times(value: Any) -> Any:
    if isinstance(value, list):
        return [without_times(item) for item in value if not (isinstance(item, list) and item[0].lower() in TIMED)]
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key.lower() not in TIMED}
    return value


def test_files_with_errors_are_not_reviewed(project: Callable[..., Path]) -> None:
    root = project({"webhooks.d/a.yaml": "name: A\nevent: anomaly\nurl: http://a.example.com/\n"})
    with pytest.raises(InvalidFilesError) as raised:
        review(root / "webhooks.d", hookctl.load_plugins())
    assert [finding.rule for finding in raised.value.findings] == ["url-scheme"]


def test_a_name_that_no_webhook_has(project: Callable[..., Path]) -> None:
    directory = project(FILES) / "webhooks.d"
    plugins = hookctl.load_plugins()
    with pytest.raises(UnknownWebhookError, match="no webhook named 'Seim'") as raised:
        review_files(hookctl.check_directory(directory, plugins), directory, plugins, options=Options(only=("Seim",)))
    assert raised.value.hint == "Did you mean Siem?"


def test_a_review_needs_no_click(project: Callable[..., Path]) -> None:
    code = (
        "import sys, hookctl; from pathlib import Path; "
        "hookctl.review(Path('webhooks.d'), hookctl.load_plugins()); print('click' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=project(FILES), capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_a_directory_may_be_a_string(project: Callable[..., Path]) -> None:
    directory, plugins = project(FILES) / "webhooks.d", hookctl.load_plugins()
    checked = hookctl.check_directory(str(directory), plugins)
    assert (
        hookctl.review(str(directory), plugins).plan
        == hookctl.review(directory, plugins).plan
        == hookctl.review_files(checked, str(directory), plugins).plan
    )
    with pytest.raises(RevisionError):
        hookctl.review_files(checked, str(directory), plugins, options=Options(against="-x"))


def test_wrong_types_are_named() -> None:
    with pytest.raises(TypeError, match="the URL of a store is a string"):
        hookctl.open_store(None)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="pairs of a DeliveryPlan and an event"):
        hookctl.send_tests(["x"], hookctl.load_plugins())  # type: ignore[list-item]
