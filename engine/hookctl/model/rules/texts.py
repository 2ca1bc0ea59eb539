"""Rules about what is written for an event: body templates, conditions, response validators."""

from __future__ import annotations

from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule

TEMPLATE_SYNTAX = Rule(
    id="template-syntax",
    summary="The template cannot be read.",
    explanation="An expression stands between {{ and }}, a tag between {% and %}; each tag that opens is closed.",
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"severity": "{{ data.severity }"}\'',
    good='body_template: \'{"severity": "{{ data.severity }}"}\'',
)

TEMPLATE_NOT_JSON = Rule(
    id="template-not-json",
    summary="The body would not be JSON.",
    explanation="A body template is JSON with expressions in it, whatever the event. Common causes: a comma at the end, a missing quote, two values side by side.",
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"severity": "{{ data.severity }}",}\'',
    good='body_template: \'{"severity": "{{ data.severity }}"}\'',
)

TEMPLATE_REPEATED_KEY = Rule(
    id="template-repeated-key",
    summary="An object has a key twice.",
    explanation=(
        "Some readers of JSON take the first of the two values, some the last, some refuse the body. A key that only a branch or a loop may have written "
        "before is not found; one that an event gives is refused when it is there."
    ),
    message="the key {key} stands in its object already, and readers differ in which of the two counts",
    hint="Remove one of the two.",
    bad='body_template: \'{"severity": "{{ data.severity }}", "severity": "High"}\'',
    good='body_template: \'{"severity": "{{ data.severity }}", "at_least": "High"}\'',
)

TEMPLATE_UNKNOWN_PATH = Rule(
    id="template-unknown-path",
    summary="The event type has no such field.",
    explanation="`hookctl schema event NAME` shows every field of an event type.",
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"severity": "{{ data.severty }}"}\'',
    good='body_template: \'{"severity": "{{ data.severity }}"}\'',
)

TEMPLATE_OPTIONAL_PATH = Rule(
    id="template-optional-path",
    summary="The field may be absent.",
    explanation="An event without it could not be sent. Say what to send then, by the default filter or an if around it. This is a warning.",
    message="{what}",
    hint="{fix}",
    severity=Severity.WARNING,
    bad='body_template: \'{"resource": "{{ data.resource.name }}"}\'',
    good='body_template: \'{"resource": "{{ data.resource.name | default("none") }}"}\'',
)

TEMPLATE_UNSAFE = Rule(
    id="template-unsafe",
    summary="The template uses something that is not part of templates here.",
    explanation="Templates read the event and nothing else, and each costs little: no calls, no arithmetic on text, no imports.",
    message="{what}",
    hint="{fix}",
    bad="body_template: '{\"x\": {{ range(9) }}}'",
    good="body_template: '{\"x\": {{ data.request }}}'",
)

TEMPLATE_TOO_LARGE = Rule(
    id="template-too-large",
    summary="The template is larger, nested deeper or has more ways through it than templates may.",
    explanation=(
        "The limits keep the cost of each check and each event small. Split the expression, shorten the text, or close each object and "
        "list in the branch that opens it."
    ),
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"x": {{ ' + "(" * 100 + "data.request" + ")" * 100 + " }}}'",
    good="body_template: '{\"x\": {{ data.request }}}'",
)

TEMPLATE_BRANCH_DEPTH = Rule(
    id="template-branch-depth",
    summary="A string begins on one side of a tag and ends on the other.",
    explanation="Whether an expression stands inside a string decides how it is written, so each branch must leave that as it was.",
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"x": {% if data.severity %}"a{% endif %}"}\'',
    good='body_template: \'{"x": "{% if data.severity %}a{% endif %}"}\'',
)

TEMPLATE_NEVER_PARSES = Rule(
    id="template-never-parses",
    summary="No event could make this template JSON.",
    explanation="Whichever branches are taken, the body is not JSON.",
    message="no way through the template gives JSON: {what}",
    hint="{fix}",
    bad="body_template: '{% if data.severity %}{,}{% else %}[,]{% endif %}'",
    good="body_template: '{% if data.severity %}{}{% else %}[]{% endif %}'",
)

TEMPLATE_FILTER = Rule(
    id="template-filter",
    summary="There is no such filter, or it is used wrongly.",
    explanation="`hookctl explain templates` lists the filters and what each takes.",
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"severity": "{{ data.severity | uper }}"}\'',
    good='body_template: \'{"severity": "{{ data.severity | upper }}"}\'',
)

TEMPLATE_NOT_TEXT = Rule(
    id="template-not-text",
    summary="The value cannot stand in a header or a URL.",
    explanation=(
        "They hold text: a string, a number, true, false or null. An object or a list is none, nor is a line break in a header, and a value that left a "
        "segment of the URL's path empty would call another path. `join`, `length` and `tojson` make text of an object or a list."
    ),
    message="{what}",
    hint="{fix}",
    bad="headers:\n  X-Request: '{{ data.request }}'",
    good="headers:\n  X-Request: '{{ data.request.id }}'",
)

WHEN_SYNTAX = Rule(
    id="when-syntax",
    summary="The condition is not JMESPath.",
    explanation="Text stands in single quotes, JSON values in backticks; conditions are joined by && and ||.",
    message="{what}",
    hint="{fix}",
    bad="when: data.severity = 'High'",
    good="when: data.severity == 'High'",
)

WHEN_UNKNOWN_PATH = Rule(
    id="when-unknown-path",
    summary="The event type has no such field.",
    explanation="A condition over a field that no event has is never true, so that nothing would be sent.",
    message="{what}",
    hint="{fix}",
    bad="when: data.severty == 'High'",
    good="when: data.severity == 'High'",
)

NEVER_MATCHES = Rule(
    id="never-matches",
    summary="No event can match the condition.",
    explanation=(
        "It is false for every event that the event type's schema allows, so the webhook gets nothing. Looked at are fields compared with constants, "
        "and what &&, || and ! make of them. This is a warning, and only for a webhook that is active."
    ),
    message="no event can match it: {why}",
    hint="`hookctl schema event NAME` shows what an event can hold. A webhook that is to get nothing is `status: inactive`.",
    severity=Severity.WARNING,
    bad="when: data.severity == 'Critical'",
    good="when: data.severity == 'High'",
)

JSON_PATH_INVALID = Rule(
    id="json-path-invalid",
    summary="The path of a response validator is no JSON path.",
    explanation="Paths are those of RFC 9535: $.data.status, $.data.results[0].ok, $.headers['x-result'].",
    message="{what}",
    hint="{fix}",
    bad="response_validators:\n  - json_path: $.data[\n    expected_values: [accepted]",
    good="response_validators:\n  - json_path: $.data.status\n    expected_values: [accepted]",
)

EXPRESSION_INVALID = Rule(
    id="expression-invalid",
    summary="The expression of a response validator cannot be read.",
    explanation="A jmespath validator takes a JMESPath expression over status, headers and data.",
    message="{what}",
    hint="{fix}",
    bad="response_validators:\n  - type: jmespath\n    expression: data.status ==",
    good="response_validators:\n  - type: jmespath\n    expression: data.status == 'ok'",
)

EXPECTED_VALUES_EMPTY = Rule(
    id="expected-values-empty",
    summary="A response validator expects no value.",
    explanation="No response could be accepted. List the values that are.",
    message="no value is expected, so no response could be accepted",
    hint="{advice}",
    bad="response_validators:\n  - json_path: $.data.status\n    expected_values: []",
    good="response_validators:\n  - json_path: $.data.status\n    expected_values: [accepted]",
)

VALIDATOR_UNKNOWN_PATH = Rule(
    id="validator-unknown-path",
    summary="A response has nothing of that name.",
    explanation="A validator sees $.status, $.headers and $.data, the response's body.",
    message="{what}",
    hint="{fix}",
    bad="response_validators:\n  - json_path: $.body.status\n    expected_values: [accepted]",
    good="response_validators:\n  - json_path: $.data.status\n    expected_values: [accepted]",
)
