"""Rules about what is written for an event: body templates, conditions, response validators."""

from __future__ import annotations

from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule

TEMPLATE_SYNTAX = Rule(
    id="template-syntax",
    summary="The template cannot be read.",
    explanation="Write expressions between {{ and }}, and tags between {% and %}. Close every tag that you open.",
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"severity": "{{ data.severity }"}\'',
    good='body_template: \'{"severity": "{{ data.severity }}"}\'',
)

TEMPLATE_PLACEHOLDER = Rule(
    id="template-placeholder",
    summary="Text looks like a placeholder of another language.",
    explanation=(
        "Templates have Jinja's syntax. What looks like ERB, or like a path in single braces, is text and is sent as "
        "it is. This is a warning."
    ),
    message="{found} is {language}, so it is sent as it is",
    hint="{fix}",
    severity=Severity.WARNING,
    bad='body_template: \'{"severity": "<%= data.severity %>"}\'',
    good='body_template: \'{"severity": "{{ data.severity }}"}\'',
)

TEMPLATE_NOT_JSON = Rule(
    id="template-not-json",
    summary="The body would not be JSON.",
    explanation=(
        "A body template must give JSON for every event. Common causes are a trailing comma, a missing quote,"
        " and two values without a comma between them."
    ),
    message="{what}",
    hint="{fix}",
    is_sometimes_a_warning=True,
    bad='body_template: \'{"severity": "{{ data.severity }}",}\'',
    good='body_template: \'{"severity": "{{ data.severity }}"}\'',
)

TEMPLATE_NOT_XML = Rule(
    id="template-not-xml",
    summary="The body would not be well-formed XML.",
    explanation=(
        "With `body_format: xml`, a body template must give one well-formed element for every event: each tag is"
        " closed, each attribute is in quotes and occurs once, and each prefix is declared. Expressions are"
        " allowed in text and in the values of attributes. There is no DOCTYPE, and the only entities are &amp;, &lt;,"
        " &gt;, &quot;, &apos; and numeric ones."
    ),
    message="{what}",
    hint="{fix}",
    bad="body_format: xml\nbody_template: <alert>{{ data.severity }}</alarm>",
    good="body_format: xml\nbody_template: <alert>{{ data.severity }}</alert>",
)

TEMPLATE_LINE_BREAK = Rule(
    id="template-line-break",
    summary="A line break in an expression is sent as a space.",
    explanation=(
        "With `body_format: text`, an event cannot add lines to the body, so each line break in the value of an"
        " expression becomes a space, also one that a filter such as join adds. Line breaks in the template's own"
        " text are sent, and so are those in a choice between constants. This is a warning."
    ),
    severity=Severity.WARNING,
    message="the line break would be sent as a space",
    hint="Write line breaks outside of expressions; for a list, write a loop.",
    bad="body_format: text\nbody_template: \"{{ [data.severity, data.title] | join('\\\\n') }}\"",
    good='body_format: text\nbody_template: "{{ data.severity }}\\n{{ data.title }}"',
)

TEMPLATE_REPEATED_KEY = Rule(
    id="template-repeated-key",
    summary="An object has the same key twice.",
    explanation=(
        "Some JSON readers use the first value, some use the last, and some refuse the body. hookctl does not"
        " find a key that only an earlier branch or loop may have written. A repeated key that an event "
        "causes is refused when the body is rendered."
    ),
    message="the object already has the key {key}, and readers differ in which value they use",
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
    summary="The field may be missing.",
    explanation=(
        "An event without the field could not be sent. Give a replacement with the default filter, or put an "
        "if around it. This is a warning."
    ),
    message="{what}",
    hint="{fix}",
    severity=Severity.WARNING,
    bad='body_template: \'{"resource": "{{ data.resource.name }}"}\'',
    good='body_template: \'{"resource": "{{ data.resource.name | default("none") }}"}\'',
)

TEMPLATE_UNSAFE = Rule(
    id="template-unsafe",
    summary="Templates do not support this construct.",
    explanation=(
        "Templates can only read the event, and each expression must be cheap: no calls, no arithmetic on "
        "text, and no imports."
    ),
    message="{what}",
    hint="{fix}",
    bad="body_template: '{\"x\": {{ range(9) }}}'",
    good="body_template: '{\"x\": {{ data.request }}}'",
)

TEMPLATE_TOO_LARGE = Rule(
    id="template-too-large",
    summary="The template is too long, too deeply nested, or has too many paths.",
    explanation=(
        "The limits keep the cost of each check and each event small. Split the expression, shorten the text, or "
        "close each object and list in the branch that opens it."
    ),
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"x": {{ ' + "(" * 100 + "data.request" + ")" * 100 + " }}}'",
    good="body_template: '{\"x\": {{ data.request }}}'",
)

TEMPLATE_BRANCH_DEPTH = Rule(
    id="template-branch-depth",
    summary="A string starts on one side of a tag and ends on the other.",
    explanation=(
        "hookctl writes an expression differently inside and outside of a string, so a branch must not change"
        " whether the text is inside a string."
    ),
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"x": {% if data.severity %}"a{% endif %}"}\'',
    good='body_template: \'{"x": "{% if data.severity %}a{% endif %}"}\'',
)

TEMPLATE_NEVER_PARSES = Rule(
    id="template-never-parses",
    summary="No event makes this template valid JSON.",
    explanation="The body is not JSON, whichever branches are taken.",
    message="no path through the template gives JSON: {what}",
    hint="{fix}",
    bad="body_template: '{% if data.severity %}{,}{% else %}[,]{% endif %}'",
    good="body_template: '{% if data.severity %}{}{% else %}[]{% endif %}'",
)

TEMPLATE_FILTER = Rule(
    id="template-filter",
    summary="The filter does not exist, or has wrong arguments.",
    explanation="`hookctl explain templates` lists the filters and their arguments.",
    message="{what}",
    hint="{fix}",
    bad='body_template: \'{"severity": "{{ data.severity | uper }}"}\'',
    good='body_template: \'{"severity": "{{ data.severity | upper }}"}\'',
)

TEMPLATE_MOCK_EVENT = Rule(
    id="template-mock-event",
    summary="The mock event cannot be sent.",
    explanation=(
        "hookctl renders each template for the mock event of its event type. It fails on a value that the template "
        "cannot use, although the event type's schema allows it, such as text that is not a date. Deliveries of such "
        "events would be dead."
    ),
    message="the mock event of {event} cannot be sent: {what}",
    hint="{fix}",
    bad='body_template: \'{"at": "{{ data.title | datetime }}"}\'',
    good='body_template: \'{"at": "{{ data.detected_at | datetime }}"}\'',
)

TEMPLATE_KIND = Rule(
    id="template-kind",
    summary="The value has the wrong kind.",
    explanation=(
        "The event type's schema says which kind of value a field has: text, a number, a list and so on. Arithmetic "
        "needs numbers, and each filter accepts certain kinds. With another kind, no event could be sent."
    ),
    message="{what}",
    hint="{fix}",
    bad="body_template: '{\"x\": {{ data.severity * 2 }}}'",
    good="body_template: '{\"x\": {{ event_time * 1000 }}}'",
)

TEMPLATE_NEVER_TRUE = Rule(
    id="template-never-true",
    summary="The value is never equal to this constant.",
    explanation=(
        "The event type's schema lists the values that a field can have, or its kind, and the constant is not among "
        "them. Upper and lower case count. This is a warning."
    ),
    message="the value is never {value}: {why}",
    hint="`hookctl schema event NAME` shows the possible values.",
    severity=Severity.WARNING,
    bad='body_template: \'{"x": {% if data.severity == "high" %}1{% else %}2{% endif %}}\'',
    good='body_template: \'{"x": {% if data.severity == "High" %}1{% else %}2{% endif %}}\'',
)

TEMPLATE_LOOKUP = Rule(
    id="template-lookup",
    summary="A lookup does not have all values of the field.",
    explanation="An event with a value that the lookup does not have could not be sent. This is a warning.",
    message="{what}",
    hint="Add the entries, or a default: {{...}}[...] | default('other').",
    severity=Severity.WARNING,
    bad='body_template: \'{"x": {{ {"High": 1}[data.severity] }}}\'',
    good='body_template: \'{"x": {{ {"High": 1}[data.severity] | default(2) }}}\'',
)

TEMPLATE_TEXT_VALUE = Rule(
    id="template-text-value",
    summary="Text is sent as a string, although it looks like other JSON.",
    explanation=(
        "Outside of quotes, hookctl writes a value as JSON with its own type. Jinja would paste the text. So "
        '`{{ "true" if data.ok else "false" }}` sends a string and not a boolean. This is a warning.'
    ),
    message="the string {sent} is sent here, because the expression gives text",
    hint="{fix}",
    severity=Severity.WARNING,
    bad='body_template: \'{"x": {{ "true" if data.severity else "false" }}}\'',
    good="body_template: '{\"x\": {{ true if data.severity else false }}}'",
)

TEMPLATE_NOT_TEXT = Rule(
    id="template-not-text",
    summary="The value cannot be part of a header or a URL.",
    explanation=(
        "Headers and URLs contain text: a string, a number, true, false or null. An object or a list is not "
        "text, a header must not contain a line break, and an empty segment would change the path of a URL. "
        "`join`, `length` and `tojson` turn an object or a list into text."
    ),
    message="{what}",
    hint="{fix}",
    bad="headers:\n  X-Request: '{{ data.request }}'",
    good="headers:\n  X-Request: '{{ data.request.id }}'",
)

WHEN_SYNTAX = Rule(
    id="when-syntax",
    summary="The condition is not valid JMESPath.",
    explanation="Put text in single quotes and JSON values in backticks. Combine conditions with && and ||.",
    message="{what}",
    hint="{fix}",
    bad="when: data.severity = 'High'",
    good="when: data.severity == 'High'",
)

WHEN_UNKNOWN_PATH = Rule(
    id="when-unknown-path",
    summary="The event type has no such field.",
    explanation="A condition on a field that no event has is never true, so nothing would be sent.",
    message="{what}",
    hint="{fix}",
    bad="when: data.severty == 'High'",
    good="when: data.severity == 'High'",
)

NEVER_MATCHES = Rule(
    id="never-matches",
    summary="No event can match the condition.",
    explanation=(
        "The condition is false for every event that the schema allows, so the webhook receives nothing. "
        "hookctl considers fields that are compared with constants, and how &&, || and ! combine them. This "
        "is a warning, and only for active webhooks."
    ),
    message="no event can match it: {why}",
    hint=(
        "`hookctl schema event NAME` shows the possible values. If the webhook should receive nothing, set "
        "`status: inactive`."
    ),
    variants={
        "type": (
            "no event of the type {event} can match it: {why}",
            "Remove the type from `event`, or change the condition. See `hookctl schema event {event}`.",
        )
    },
    severity=Severity.WARNING,
    bad="when: data.severity == 'Critical'",
    good="when: data.severity == 'High'",
)

JSON_PATH_INVALID = Rule(
    id="json-path-invalid",
    summary="The path of a response validator is not a valid JSON path.",
    explanation=(
        "Write paths as in RFC 9535: $.data.status, $.data.results[0].ok, $.headers['x-result']. The regular"
        " expressions of match() and search() are those of RFC 9485."
    ),
    message="{what}",
    hint="{fix}",
    bad="response_validators:\n  - json_path: $.data[\n    expected_values: [accepted]",
    good="response_validators:\n  - json_path: $.data.status\n    expected_values: [accepted]",
)

EXPRESSION_INVALID = Rule(
    id="expression-invalid",
    summary="The expression of a response validator cannot be read.",
    explanation=(
        "A jmespath validator takes a JMESPath expression over status, headers and data, a regex validator a regular"
        " expression in the syntax of RE2, and a json_schema validator a JSON Schema that refers only to itself."
    ),
    message="{what}",
    hint="{fix}",
    bad="response_validators:\n  - type: jmespath\n    expression: data.status ==",
    good="response_validators:\n  - type: jmespath\n    expression: data.status == 'ok'",
)

EXPECTED_VALUES_EMPTY = Rule(
    id="expected-values-empty",
    summary="A response validator has no expected values.",
    explanation="It could not accept any response. List the values that it should accept.",
    message="no expected values, so no response could be accepted",
    hint="{advice}",
    bad="response_validators:\n  - json_path: $.data.status\n    expected_values: []",
    good="response_validators:\n  - json_path: $.data.status\n    expected_values: [accepted]",
)

VALIDATOR_UNKNOWN_PATH = Rule(
    id="validator-unknown-path",
    summary="Responses have no such part.",
    explanation="Validators can read $.status, $.headers and $.data, which is the body of the response.",
    message="{what}",
    hint="{fix}",
    bad="response_validators:\n  - json_path: $.body.status\n    expected_values: [accepted]",
    good="response_validators:\n  - json_path: $.data.status\n    expected_values: [accepted]",
)
