"""Webhooks that receive several event types: every text is checked against each of them."""

from __future__ import annotations

import pytest

from hookctl.config.check import WebhookChecker
from hookctl.config.load.loader import load_text
from hookctl.plugin.host import load_plugins

CHECKER = WebhookChecker(load_plugins())
HEAD = "name: A\nevent: [audit_log, integration]\nurl: https://a.example.com/x\n"


def found(fields: str) -> list[tuple[str, str]]:
    (webhook,) = load_text("a.yaml", HEAD + fields).webhooks
    return [(one.rule, one.message) for one in CHECKER.check(webhook)]


def test_a_field_of_one_type_is_a_finding_for_the_other() -> None:
    ((rule, message),) = found("""body_template: '{"a": "{{ data.action }}"}'""")
    assert (rule, message) == (
        "template-unknown-path",
        "for events of the type integration: data has no action",
    )
    assert found("headers: {X-A: '{{ data.action }}'}")[0][1].startswith("for events of the type integration: ")


def test_what_is_wrong_for_every_type_stands_once() -> None:
    (one,) = found("""body_template: '{"a": "{{ nothing }}"}'""")
    assert "for events of" not in one[1]


@pytest.mark.parametrize(
    "fields",
    [
        """body_template: '{"a": "{% if event_type == "audit_log" %}{{ data.action }}{% else %}-{% endif %}"}'""",
        """body_template: '{"a": "{% if event_type == "audit_log" %}-{% else %}{{ data.status }}{% endif %}"}'""",
        """body_template: '{"a": {{ data.action if event_type in ["audit_log"] else data.status }}}'""",
        """body_template: '{"a": {{ 1 if event_type != "integration" and data.action == "x" else 2 }}}'""",
        "when: event_type == 'integration' || data.action == 'x'",
        "when: (event_type == 'audit_log' && data.action == 'x') || event_type == 'integration'",
    ],
)
def test_conditions_on_the_type_make_its_fields_known(fields: str) -> None:
    assert found(fields) == []


def test_a_condition_that_one_type_never_matches() -> None:
    ((rule, message),) = found("when: event_type == 'audit_log'")
    assert rule == "never-matches"
    assert "no event of the type integration can match it" in message


def test_each_unknown_type_has_its_place() -> None:
    (webhook,) = load_text("a.yaml", HEAD.replace("integration", "integratoin")).webhooks
    (finding,) = CHECKER.check(webhook)
    assert finding.span is not None
    assert (finding.rule, finding.span.column, finding.suggestions) == ("unknown-event-type", 20, ("integration",))
