"""Rules about what is written for an event: body templates, conditions, response validators."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

TEXT_RULES = (
    Rule(
        "template-syntax",
        "The template cannot be read.",
        "An expression stands between {{ and }}, a tag between {% and %}; each tag that opens is closed.",
        'body_template: \'{"severity": "{{ data.severity }"}\'',
        'body_template: \'{"severity": "{{ data.severity }}"}\'',
    ),
    Rule(
        "template-not-json",
        "The body would not be JSON.",
        "A body template is JSON with expressions in it, whatever the event. Common causes: a comma at the end, a missing quote, two values side by side.",
        'body_template: \'{"severity": "{{ data.severity }}",}\'',
        'body_template: \'{"severity": "{{ data.severity }}"}\'',
    ),
    Rule(
        "template-repeated-key",
        "An object has a key twice.",
        "Some readers of JSON take the first of the two values, some the last, some refuse the body. A key that only a branch or a loop may have written "
        "before is not found; one that an event gives is refused when it is there.",
        'body_template: \'{"severity": "{{ data.severity }}", "severity": "High"}\'',
        'body_template: \'{"severity": "{{ data.severity }}", "at_least": "High"}\'',
    ),
    Rule(
        "template-unknown-path",
        "The event type has no such field.",
        "`hookctl schema event NAME` shows every field of an event type.",
        'body_template: \'{"severity": "{{ data.severty }}"}\'',
        'body_template: \'{"severity": "{{ data.severity }}"}\'',
    ),
    Rule(
        "template-optional-path",
        "The field may be absent.",
        "An event without it could not be sent. Say what to send then, by the default filter or an if around it. This is a warning.",
        'body_template: \'{"resource": "{{ data.resource.name }}"}\'',
        'body_template: \'{"resource": "{{ data.resource.name | default("none") }}"}\'',
    ),
    Rule(
        "template-unsafe",
        "The template uses something that is not part of templates here.",
        "Templates read the event and nothing else, and each costs little: no calls, no arithmetic on text, no imports.",
        "body_template: '{\"x\": {{ range(9) }}}'",
        "body_template: '{\"x\": {{ data.request }}}'",
    ),
    Rule(
        "template-too-large",
        "The template is larger, nested deeper or has more ways through it than templates may.",
        "The limits keep the cost of each check and each event small. Split the expression, shorten the text, or close each object and "
        "list in the branch that opens it.",
        'body_template: \'{"x": {{ ' + "(" * 100 + "data.request" + ")" * 100 + " }}}'",
        "body_template: '{\"x\": {{ data.request }}}'",
    ),
    Rule(
        "template-branch-depth",
        "A string begins on one side of a tag and ends on the other.",
        "Whether an expression stands inside a string decides how it is written, so each branch must leave that as it was.",
        'body_template: \'{"x": {% if data.severity %}"a{% endif %}"}\'',
        'body_template: \'{"x": "{% if data.severity %}a{% endif %}"}\'',
    ),
    Rule(
        "template-never-parses",
        "No event could make this template JSON.",
        "Whichever branches are taken, the body is not JSON.",
        "body_template: '{% if data.severity %}{,}{% else %}[,]{% endif %}'",
        "body_template: '{% if data.severity %}{}{% else %}[]{% endif %}'",
    ),
    Rule(
        "template-filter",
        "There is no such filter, or it is used wrongly.",
        "`hookctl explain templates` lists the filters and what each takes.",
        'body_template: \'{"severity": "{{ data.severity | uper }}"}\'',
        'body_template: \'{"severity": "{{ data.severity | upper }}"}\'',
    ),
    Rule(
        "template-not-text",
        "The value cannot stand in a header or a URL.",
        "They hold text: a string, a number, true, false or null. An object or a list is none, nor is a line break in a header, and a value that left a "
        "segment of the URL's path empty would call another path. `join`, `length` and `tojson` make text of an object or a list.",
        "headers:\n  X-Request: '{{ data.request }}'",
        "headers:\n  X-Request: '{{ data.request.id }}'",
    ),
    Rule(
        "when-syntax",
        "The condition is not JMESPath.",
        "Text stands in single quotes, JSON values in backticks; conditions are joined by && and ||.",
        "when: data.severity = 'High'",
        "when: data.severity == 'High'",
    ),
    Rule(
        "when-unknown-path",
        "The event type has no such field.",
        "A condition over a field that no event has is never true, so that nothing would be sent.",
        "when: data.severty == 'High'",
        "when: data.severity == 'High'",
    ),
    Rule(
        "never-matches",
        "No event can match the condition.",
        "It is false for every event that the event type's schema allows, so the webhook gets nothing. Looked at are fields compared with constants, "
        "and what &&, || and ! make of them. This is a warning, and only for a webhook that is active.",
        "when: data.severity == 'Critical'",
        "when: data.severity == 'High'",
    ),
    Rule(
        "json-path-invalid",
        "The path of a response validator is no JSON path.",
        "Paths are those of RFC 9535: $.data.status, $.data.results[0].ok, $.headers['x-result'].",
        "response_validators:\n  - json_path: $.data[\n    expected_values: [accepted]",
        "response_validators:\n  - json_path: $.data.status\n    expected_values: [accepted]",
    ),
    Rule(
        "expression-invalid",
        "The expression of a response validator cannot be read.",
        "A jmespath validator takes a JMESPath expression over status, headers and data.",
        "response_validators:\n  - type: jmespath\n    expression: data.status ==",
        "response_validators:\n  - type: jmespath\n    expression: data.status == 'ok'",
    ),
    Rule(
        "expected-values-empty",
        "A response validator expects no value.",
        "No response could be accepted. List the values that are.",
        "response_validators:\n  - json_path: $.data.status\n    expected_values: []",
        "response_validators:\n  - json_path: $.data.status\n    expected_values: [accepted]",
    ),
    Rule(
        "validator-unknown-path",
        "A response has nothing of that name.",
        "A validator sees $.status, $.headers and $.data, the response's body.",
        "response_validators:\n  - json_path: $.body.status\n    expected_values: [accepted]",
        "response_validators:\n  - json_path: $.data.status\n    expected_values: [accepted]",
    ),
)
