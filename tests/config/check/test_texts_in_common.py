"""Texts that several webhooks have in common are checked once; that must not show."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.config.check import WebhookChecker
from hookctl.config.load import load_text
from hookctl.model import Finding
from hookctl.plugin.host import load_plugins

PLUGINS = load_plugins()
CONDITIONS = [
    "data.severity == {}",
    "data.severity == {} || data.title == {}",
    "data.sevrity == {}",
    "contains({}, data.title)",
    "data.severity == {} &&",
    'data."severity" == {}',
    "data.severity == `1` && data.title == {}",
]
LITERALS = ["'High'", "'Low'", "''", "'a b'", "'it''s'", "'", "High", "'\\''", '`"High"`', "'" + "x" * 1000 + "'"]
BODIES = [
    '{{"a": "{{{{ data.title }}}}"}}',
    '{{"a": "{{{{ data.titel }}}}"}}',
    '{{"a": {{{{ data.title }}}} {}}}',
    "{{{{ {} }}}}",
]


def webhook(number: int, event: str, when: str, body: str) -> str:
    head = f"name: W{number}\nevent: {event}\nurl: https://a.example.com\n"
    return f"{head}when: |-\n  {when}\nbody_template: |-\n  {body}\n"


def of(templates: list[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda template, literal: template.format(*[literal] * template.count("{}")),
        st.sampled_from(templates),
        st.sampled_from(LITERALS),
    )


@given(st.lists(st.tuples(st.sampled_from(["anomaly", "anomaly", "nonsense"]), of(CONDITIONS), of(BODIES)), max_size=6))
@settings(max_examples=150)
def test_a_checker_says_of_each_webhook_what_a_new_one_says(texts: list[tuple[str, str, str]]) -> None:
    webhooks = [load_text("a.yaml", webhook(number, *one)).webhooks[0] for number, one in enumerate(texts)]
    checker = WebhookChecker(PLUGINS)
    assert [checker.check(one) for one in webhooks] == [WebhookChecker(PLUGINS).check(one) for one in webhooks]


def test_a_text_that_could_not_be_read_is_not_taken_for_clean() -> None:
    fields = "event: anomaly\nurl: https://a.example.com\n"
    unread, read = load_text("a.yaml", f"name: A\n{fields}when: 012\n---\nname: B\n{fields}when: '012'\n").webhooks
    checker = WebhookChecker(PLUGINS)
    assert checker.check(unread) == []
    assert [finding.rule for finding in checker.check(read)] == ["when-syntax"]


def test_one_text_in_two_formats_is_two_texts(check: Callable[..., list[Finding]]) -> None:
    head = "event: anomaly\nurl: https://siem.example.com/\nbody_template: <a>\nbody_format: "
    assert [finding.webhook for finding in check(f"name: A\n{head}text\n", f"name: B\n{head}xml\n")] == ["B"]
