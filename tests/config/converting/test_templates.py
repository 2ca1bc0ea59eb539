"""Handlebars and Go templates become templates that write the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hookctl.config.converting.blocks import Converted
from hookctl.config.converting.go_templates import go_to_jinja
from hookctl.config.converting.handlebars import handlebars_to_jinja
from hookctl.template.body import compile_body

EVENT: dict[str, Any] = {
    "id": "evt_1",
    "event_type": "x",
    "event_time": 1.5,
    "data": {
        "id": "r1",
        "status": "firing",
        "title": 'a "b"',
        "count": 2,
        "none": "",
        "user-name": "dana",
        "labels": {"team": "ops"},
        "commonLabels": {"alertname": "Disk", "env": "prod"},
        "alerts": [
            {"status": "firing", "labels": {"alertname": "A"}, "units": ["u", "v"]},
            {"status": "resolved", "labels": {"alertname": "B"}, "units": []},
        ],
    },
}  # fmt: skip
HANDLEBARS = [
    ('{"a": "{{data.id}}", "b": {{data.count}}, "c": "{{{data.title}}}"}', {"a": "r1", "b": 2, "c": 'a "b"'}),
    ('[{{#each data.alerts}}"{{labels.alertname}}"{{#unless @last}},{{/unless}}{{/each}}]', ["A", "B"]),
    (
        '[{{#each data.alerts as |a n|}}"{{n}}{{a.status}}{{@root.data.id}}"{{#unless @last}},{{/unless}}{{/each}}]',
        ["0firingr1", "1resolvedr1"],
    ),
    (
        """[{{#each data.alerts}}[{{#each units}}"{{this}}{{../status}}"{{#unless @last}},{{/unless}}{{/each}}]
        {{#unless @last}},{{/unless}}{{/each}}]""",
        [["ufiring", "vfiring"], []],
    ),
    ('{ {{#each data.labels}}"{{@key}}": "{{this}}"{{#unless @last}},{{/unless}}{{/each}} }', {"team": "ops"}),
    ('"{{#if data.none}}yes{{else if (eq data.status "firing")}}hot{{else}}no{{/if}}"', "hot"),
    ('"{{#with data.labels}}{{team}}{{/with}}{{! not sent }}{{!-- nor {{this}} --}}"', "ops"),
    ('{"a": {{json data.labels}}, "b": "{{uppercase data.id}}", "c": "{{data.user-name}}"}',
     {"a": {"team": "ops"}, "b": "R1", "c": "dana"}),
    ('"{{data.alerts.[0].labels.alertname}}{{data.alerts.1.status}}{{lookup data.labels "team"}}"', "Aresolvedops"),
    ('"{{#eq data.status "firing"}}x{{/eq}}{{default data.none "d"}}"', "xd"),
]  # fmt: skip
GO = [
    ('{"a": "{{ .Status | toUpper }}", "b": {{ len .Alerts }}}', {"a": "FIRING", "b": 2}),
    ('"{{ range .Alerts }}{{ .Labels.alertname }} {{ end }}"', "A B "),
    ('[{{ range $i, $a := .Alerts }}{{ if $i }},{{ end }}"{{ $i }}{{ $a.Labels.alertname }}"{{ end }}]', ["0A", "1B"]),
    ('"{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}"', "alertname=Disk env=prod "),
    ('"{{ if eq .Status "firing" }}F{{ else if and .Alerts (ne .Status "x") }}G{{ else }}H{{ end }}"', "F"),
    ('"{{ len .Alerts.Firing }}{{ (index .Alerts 0).Labels.alertname }}{{ $.Status }}"', "1Afiring"),
    ('"{{ $n := .CommonLabels.alertname -}} {{ with .CommonLabels }}{{ .env }}{{ end }}{{ $n }}"', " prodDisk"),
    ('{"a": {{ .CommonLabels | toJson }}, "b": "{{ printf "%s/%s" .Status .Receiver }}"}', None),
    ('"{{/* not sent */}}{{ join ", " (index .Alerts 0).Units }}"', "u, v"),
]


def rendered(text: str) -> object:
    return json.loads(compile_body(text, {}).render(EVENT))


@pytest.mark.parametrize(("template", "expected"), HANDLEBARS)
def test_handlebars(template: str, expected: object) -> None:
    converted = handlebars_to_jinja(template)
    assert converted.unknown == []
    assert rendered(converted.text) == expected


@pytest.mark.parametrize(("template", "expected"), GO)
def test_go(template: str, expected: object) -> None:
    converted = go_to_jinja(template)
    assert converted.unknown == []
    if expected is not None:
        assert rendered(converted.text) == expected


@pytest.mark.parametrize(
    "action", ["{{> part}}", "{{formatDate data.at 'YYYY'}}", "{{#custom x}}", "{{@index}}", "{{../id}}", "{{a b c d}}"]
)
def test_handlebars_without_a_counterpart_stays_as_it_is(action: str) -> None:
    converted = handlebars_to_jinja(f"{{{{data.id}}}} {action}")
    assert [one.text for one in converted.unknown][:1] == [action]
    assert converted.text == f"{{{{ data.id }}}} {action}"


@pytest.mark.parametrize(
    "action", ['{{ template "x" . }}', "{{ reReplaceAll `a` `b` .Status }}", "{{ $x }}", "{{ end }}"]
)
def test_go_without_a_counterpart_stays_as_it_is(action: str) -> None:
    converted = go_to_jinja(action)
    assert [one.text for one in converted.unknown] == [action]
    assert converted.text == action


@pytest.mark.parametrize("convert", [handlebars_to_jinja, go_to_jinja])
@pytest.mark.parametrize(
    "hostile",
    ["{{" * 9000, "{{ a" * 9000, '{{"' * 9000, "{{#if a}}" * 9000, "{{!--" * 9000, "{{/*" * 9000, "{{(" * 9000, "{{ ("
     + "(" * 100_000 + " }}", "{{ if (" * 5000, "{{a.[" * 9000, "{{" + "../" * 50_000 + "}}", "{{ `" * 9000, "{{ $a := "
     + "." * 100_000 + " }}", "{{" + " " * 250_000, "{{ x" + " \n" * 100_000, "{{" + " a" * 100_000 + '"'],
)  # fmt: skip
@pytest.mark.usefixtures("cpu_limit")
def test_hostile_templates_cost_little(convert: Callable[[str], Converted], hostile: str) -> None:
    assert len(convert(hostile).text) <= 2 * len(hostile)


@pytest.mark.parametrize("convert", [handlebars_to_jinja, go_to_jinja])
def test_text_that_is_a_tag_of_hookctl_stays_text(convert: Callable[[str], Converted]) -> None:
    template = '"{% if x %} {# kept #}"'
    assert rendered(convert(template).text) == "{% if x %} {# kept #}"


def test_trim_markers_of_go_around_a_comment_and_a_string() -> None:
    template = """"a {{- /* not sent */ -}} b{{- " -" -}} c" """
    assert rendered(go_to_jinja(template).text) == "ab -c"


def test_variables_do_not_multiply_a_template() -> None:
    text = "{{ $v0 := .Status }}" + "".join(f'{{{{ $v{n + 1} := printf "%s%s" $v{n} $v{n} }}}}' for n in range(40))
    assert len(go_to_jinja(text).text) < 10_000
