"""Constructs of Jinja, Python, Ansible, Home Assistant and others that templates do not have, each with its advice.

Each entry is one or two sentences. The code in them is in the syntax of templates, and a test parses all of it.
"""

from __future__ import annotations

from collections.abc import Mapping


def _table(*rows: tuple[str, str]) -> Mapping[str, str]:
    """The advice by name. A row begins with names that have the same advice, separated by spaces."""
    return {name: advice for names, advice in rows for name in names.split()}


_TIME = "Write {{ event_time | datetime }}, the time of the event."
_DATE = "Write {{ data.time | datetime('%Y-%m-%d') }}."
_ONE_BODY = "A body is a single template: write the text here."
_ENVIRONMENT = (
    "Write a secret reference, ${env:NAME}, in place of the expression. It is resolved when the event is sent."
)
_ONLY_EVENT = "A template sees only the event: write a field of it, such as {{ data.title }}."
_NOTHING_RANDOM = "Every attempt must send the same body. Write {{ id }}, which each event has for itself."
_NO_HASHES = "Templates compute no hashes. Send the value itself, or add a filter with a plugin."
_NO_EXPRESSIONS = (
    "Templates have no regular expressions. Use {{ 'x' in data.title }}, or "
    "{{ data.title | jmespath(\"starts_with(@, 'x')\") }}."
)
_STARTS = "Write {{ data.title | jmespath(\"starts_with(@, 'x')\") }}."
_ENDS = "Write {{ data.title | jmespath(\"ends_with(@, 'x')\") }}."
_NO_CHANGE = (
    "A template changes no values. Write the whole list or object where you need it, such as {{ [data.a, data.b] }}."
)
_ENCODED = "Remove it: hookctl encodes each value for its place."
_LAYOUT = "Remove it: templates do not lay out text."
_NO_SPLIT = "Templates do not split text. Take a part of a fixed length with {{ data.title[:10] }}."
_NO_PARSING = "Templates do not parse text. Let the event's publisher send an object, or send the text in a string."
_JOIN = "Join text with ~, such as {{ data.host ~ ': ' ~ data.title }}; round numbers with {{ data.value | round(2) }}."
_WRITE_DEFAULT = "Write {{ data[\"key\"] | default('other') }}."
_NUMBER = "Write {{ data.count | int }}."
_LENGTH = "Write {{ data.tags | length }}."
_JSON = "Write {{ data.labels | tojson }}."
_CHOICE = "Write {{ 'yes' if data.ok else 'no' }}."
_MATH = "Write it with an operator, such as {{ data.count * 2 + 1 }}."
_ITEMS = "Write | items, such as {% for key, value in data.labels | items %}."
_KEYS = "Write {{ data.labels | jmespath('keys(@)') }}."
_VALUES = "Write {{ data.labels | jmespath('values(@)') }}."
_SORT = "Write {{ data.tags | sort }}."
_FLATTEN = "Write {{ data.groups | jmespath('[]') }}."
_GROUPS = "Write a loop for each group: {% for item in data.alerts if item.status == 'firing' %}."
_PARTS = "Take a part of the list with {{ data.tags[:3] }}."
_WHOLE_OBJECT = "Write the object with all of its keys in the body."
_IN = "Write {{ 'x' in data.tags }}."
_COMPARE = "Compare it with the text that means true: {{ data.value == 'true' }}. A boolean needs no filter."

TAGS = _table(
    (
        "macro call",
        "Templates have no macros. Write the text where you need it, or name a value with {% set x = data.title %}.",
    ),
    ("include import from extends block load render partial template", _ONE_BODY),
    ("filter", "Apply the filter to a value: {{ data.title | upper }}."),
    ("autoescape spaceless", _ENCODED),
    ("with let var", "Write {% set x = data.title %}. The name is known to the end of the body."),
    ("do", "A template changes no values. Write the value where you need it, such as {{ data.title }}."),
    ("break", "Take a part of the list: {% for item in data.tags[:3] %}."),
    ("continue", "Leave items out with a condition: {% for item in data.tags if item != 'x' %}."),
    ("trans translate blocktrans pluralize", "Write the text without the tag."),
    ("print echo", "Write {{ data.title }}."),
    ("set", "Write {% set x = data.host ~ ': ' ~ data.title %}."),
    ("end", "Write {% endif %} or {% endfor %}."),
    ("each foreach range loop", "Write {% for item in data.tags %}."),
    ("while", "A loop runs over a list of the event: {% for item in data.tags %}."),
    ("elseif elsif", "Write {% elif data.ok %}."),
    ("unless", "Write {% if not data.ok %}."),
    (
        "switch case when",
        "Write {% if data.severity == 'High' %}, and {% elif data.severity == 'Low' %} for the next case.",
    ),
    ("ifequal", "Write {% if data.severity == 'High' %}."),
    ("ifnotequal", "Write {% if data.severity != 'High' %}."),
    ("raw verbatim", "Write {% raw %} before the text and {% endraw %} after it."),
    ("comment", "Write {# the comment #}."),
    ("cycle", "Write {{ 'odd' if loop.index % 2 == 1 else 'even' }}."),
    ("now", _TIME),
    ("debug", "Remove it. `hookctl render NAME` shows the body."),
)
"""The end of a tag has the advice of its beginning."""

FUNCTIONS = _table(
    ("now utcnow today today_at current_date current_time localtime time", _TIME),
    (
        "as_timestamp timestamp strptime as_datetime as_local to_datetime",
        "Write {{ data.time | datetime('epoch') }} for seconds, or {{ data.time | datetime }} for text in ISO 8601.",
    ),
    ("timedelta", "Add seconds: {{ (event_time + 3600) | datetime }}."),
    ("relative_time time_since time_until", "Send the time itself: {{ event_time | datetime }}."),
    ("strftime date", "Write {{ event_time | datetime('%Y-%m-%d') }}."),
    ("range", "A loop runs over a list of the event, such as {% for item in data.tags[:3] %}."),
    ("lookup query env getenv secret secrets vault credential", _ENVIRONMENT),
    (
        (
            "states state_attr is_state is_state_attr has_value expand device_attr device_id area_name area_id "
            "config request session hostvars url_for get_flashed_messages vars globals locals url"
        ),
        _ONLY_EVENT,
    ),
    ("event payload trigger alert body input", "The event's fields are in data: write {{ data.title }}."),
    ("len count size", _LENGTH),
    ("str unicode string repr", "Write {{ data.count | string }}."),
    ("int", _NUMBER),
    ("float", "Write {{ data.value | float }}."),
    ("bool", _COMPARE),
    ("list tuple", "Write {{ data.tags | list }}."),
    ("set", "Write {{ data.tags | unique }}."),
    ("dict", "Write {{ dict(key=data.title) }} or {{ {'key': data.title} }}."),
    ("abs", "Write {{ data.value | abs }}."),
    ("round", "Write {{ data.value | round(2) }}."),
    ("sum", "Write {{ data.prices | sum }}."),
    ("min", "Write {{ data.prices | min }}, or {{ [data.a, data.b] | min }}."),
    ("max", "Write {{ data.prices | max }}, or {{ [data.a, data.b] | max }}."),
    ("sorted sort", _SORT),
    ("reversed reverse", "Write {{ data.tags | reverse }}."),
    ("enumerate", "Write loop.index0 in a loop: {% for item in data.tags %}."),
    ("zip", "Loop over one list, and look into the other: {{ data.names[loop.index0] }}."),
    ("map", "Write {{ data.alerts | map(attribute='name') | list }}."),
    ("filter", "Write {{ data.alerts | selectattr('ok') | list }}."),
    ("any", "Write {{ data.alerts | jmespath('[?ok]') | length > 0 }}."),
    ("all", "Write {{ data.alerts | jmespath('[?!ok]') | length == 0 }}."),
    ("joiner", "Write {{ ',' if not loop.last }} after each item."),
    ("cycler cycle", "Write {{ 'odd' if loop.index % 2 == 1 else 'even' }}."),
    (
        "namespace",
        (
            "A loop carries no value to its next item. Use a filter on the list: {{ data.prices | sum }} or "
            "{{ data.alerts | selectattr('ok') | list | length }}."
        ),
    ),
    ("super caller self include", _ONE_BODY),
    ("uuid uuid1 uuid4 guid generate_uuid random randint randrange choice shuffle token_hex", _NOTHING_RANDOM),
    ("lipsum", "Write the text itself."),
    ("iif ternary If iff", _CHOICE),
    ("default ifnull coalesce nvl", "Write {{ data.note | default('none') }}."),
    ("json dumps to_json tojson stringify jsonify", _JSON),
    ("loads from_json parse_json fromjson parse", _NO_PARSING),
    ("format printf sprintf concat", _JOIN),
    ("print echo", "Write {{ data.title }}."),
    ("raise raise_error fail throw assert abort", "Let `when` decide which events are sent."),
    ("isinstance type typeof", "Use a test: {{ data.title is string }}."),
    ("hash md5 sha1 sha256 hmac sign", _NO_HASHES),
    (
        "lower upper title trim replace join",
        "Use a filter, such as {{ data.title | lower }} or {{ data.tags | join(', ') }}.",
    ),
    ("contains", _IN),
    ("startswith starts_with", _STARTS),
    ("endswith ends_with", _ENDS),
    ("loop", "A loop cannot be recursive. Write one loop for each level."),
)

METHODS = _table(
    ("items iteritems entries", _ITEMS),
    ("get getOrDefault", _WRITE_DEFAULT),
    ("keys", _KEYS),
    ("values", _VALUES),
    ("split rsplit splitlines partition rpartition", _NO_SPLIT),
    ("strip lstrip rstrip trim", "Write {{ data.title | trim }}."),
    ("lower casefold toLowerCase", "Write {{ data.title | lower }}."),
    ("upper toUpperCase", "Write {{ data.title | upper }}."),
    ("title", "Write {{ data.title | title }}."),
    ("capitalize", "Write {{ data.title | capitalize }}."),
    ("replace replaceAll", "Write {{ data.title | replace('a', 'b') }}."),
    ("join", "Write the list first: {{ data.tags | join(', ') }}."),
    ("format format_map concat", _JOIN),
    ("isoformat toISOString toISO iso8601", "Write {{ data.time | datetime }}."),
    ("strftime toFormat", _DATE),
    ("timestamp total_seconds getTime", "Write event_time, which is in epoch seconds: {{ event_time }}."),
    ("astimezone tz_convert", "Write {{ data.time | datetime }}, which is in UTC."),
    ("now utcnow today", _TIME),
    ("startswith startsWith", _STARTS),
    ("endswith endsWith", _ENDS),
    ("match search test findall", _NO_EXPRESSIONS),
    ("model_dump_json to_json toJson json stringify dumps", _JSON),
    ("model_dump dict to_dict copy deepcopy", "Write the value itself: {{ data.labels }}."),
    ("loads parse", _NO_PARSING),
    ("append extend insert add push update setdefault pop remove clear merge", _NO_CHANGE),
    ("count", "Write {{ data.tags | jmespath(\"length([?@ == 'x'])\") }}; for all items, {{ data.tags | length }}."),
    ("index find rfind indexOf includes contains __contains__", _IN),
    ("slice substring substr", "Write {{ data.title[:10] }}."),
    ("encode decode", "Remove it: hookctl sends UTF-8."),
    ("zfill ljust rjust center expandtabs padStart padEnd", _LAYOUT),
    ("isdigit isnumeric isdecimal isalpha isalnum isspace", "Use a test, such as {{ data.count is number }}."),
    ("sort sorted", _SORT),
    ("reverse", "Write {{ data.tags | reverse }}."),
    ("map", "Write {{ data.alerts | map(attribute='name') | list }}."),
    ("filter", "Write {{ data.alerts | selectattr('ok') | list }}."),
    ("first item", "Write {{ data.alerts[0] }}."),
    ("last", "Write {{ data.alerts[-1] }}."),
    ("toString __str__", "Write {{ data.count | string }}."),
    ("toFixed", "Write {{ data.value | round(2) }}."),
    ("length size __len__", _LENGTH),
    ("hexdigest digest", _NO_HASHES),
    ("cycle", "Write {{ 'odd' if loop.index % 2 == 1 else 'even' }}."),
    ("changed", "Templates remember no earlier item. Send each item with its own value: {{ data.title }}."),
)

TESTS = _table(
    ("divisibleby", "Write {{ data.count % 3 == 0 }}."),
    ("even", "Write {{ data.count % 2 == 0 }}."),
    ("odd", "Write {{ data.count % 2 == 1 }}."),
    ("sameas equal equals same", "Write {{ data.a == data.b }}."),
    ("match search regex", _NO_EXPRESSIONS),
    ("escaped safe", _ENCODED),
    ("callable filter test", "Remove it: an event has only values."),
    ("lower", "Write {{ data.title == (data.title | lower) }}."),
    ("upper", "Write {{ data.title == (data.title | upper) }}."),
    ("contains any superset has", _IN),
    ("subset all", "Write {{ 'x' in data.tags and 'y' in data.tags }}."),
    ("startswith starts startingwith", _STARTS),
    ("endswith ends", _ENDS),
    ("empty blank", "Write {{ not data.tags }}."),
    ("null nil None Null", "Write {{ data.note is none }}."),
    ("truthy present", "Write {% if data.ok %}."),
    ("falsy", "Write {% if not data.ok %}."),
    ("dict object hash", "Write {{ data.labels is mapping }}."),
    ("list array tuple", "Write {{ data.tags is sequence }}."),
    ("str text", "Write {{ data.title is string }}."),
    ("bool", "Write {{ data.ok is boolean }}."),
    ("int", "Write {{ data.count is integer }}."),
    ("nan", "Remove it: JSON has only finite numbers."),
    ("equalto", "Write {{ data.a == data.b }}."),
    ("version", "Templates compare no versions. Compare the text: {{ data.version == '1.2' }}."),
    ("succeeded success failed failure changed skipped", "Compare the field: {{ data.status == 'failed' }}."),
    ("datetime date", "Use a test of its kind: {{ data.time is string }} or {{ data.time is number }}."),
)

FILTERS = _table(
    ("to_nice_json json toJson toPrettyJson to_pretty_json jsonify dumps dump stringify pprint tojson_pretty", _JSON),
    ("to_yaml to_nice_yaml toYaml", "A body is JSON: write {{ data.labels | tojson }}."),
    ("from_json from_yaml fromjson fromJson parse_json json_parse from_yaml_all", _NO_PARSING),
    ("bool", _COMPARE),
    ("ternary iif", _CHOICE),
    (
        "regex_replace",
        "Templates have no regular expressions. Replace fixed text with {{ data.title | replace('a', 'b') }}.",
    ),
    ("regex_search regex_match regex_findall regex_findall_index is_match match search", _NO_EXPRESSIONS),
    ("combine merge update deep_merge", _WHOLE_OBJECT),
    ("dict2items entries", _ITEMS),
    ("items2dict dict", "Write a key for each item in a loop: {% for item in data.fields %}."),
    ("safe autoescape escapejs addslashes escape_json noescape mark_safe", _ENCODED),
    ("groupby group_by", _GROUPS),
    ("batch slice limit chunk", _PARTS),
    ("format printf sprintf string_format concat append prepend concatenate add", _JOIN),
    ("random shuffle random_mac uuid to_uuid", _NOTHING_RANDOM),
    ("filesizeformat human_readable", "Divide, and write the unit: {{ (data.size / 1048576) | round(1) }} MiB."),
    ("human_to_bytes", _MATH),
    ("wordwrap center indent ljust rjust nl2br", _LAYOUT),
    ("urlize linebreaks", "Write the link in the markup of the target."),
    ("strftime date timestamp_custom time format_date date_format datetimeformat dateformat", _DATE),
    (
        "to_datetime as_datetime timestamp_utc timestamp_local as_local isoformat todatetime date_to_xmlschema",
        "Write {{ data.time | datetime }}.",
    ),
    ("as_timestamp timestamp", "Epoch seconds need no filter: write {{ event_time }}."),
    ("hash md5 sha1 sha256 sha512 checksum password_hash hmac", _NO_HASHES),
    (
        "quote shellquote shell_quote",
        "Remove it: hookctl encodes each value for its place. In a URL in a body: {{ data.title | urlencode }}.",
    ),
    (
        "url_encode urlescape encode_uri percent_encode",
        "Write {{ data.title | urlencode }}; in a URL, hookctl does it itself.",
    ),
    ("xmlattr", "Write each attribute with its value."),
    ("attr extract get getattr dig path", "Write the name behind a dot, such as {{ data.owner.name }}, or in [ ]."),
    ("json_query jq search_json", "Write {{ data.alerts | jmespath('[?ok].name') }}."),
    ("split splitlines", _NO_SPLIT),
    ("flatten", _FLATTEN),
    ("union", "Write {{ data.labels | jmespath('[a, b][]') | unique }}."),
    ("intersect intersection", "Write a loop with a condition: {% for item in data.a if item in data.b %}."),
    (
        "difference symmetric_difference",
        "Write a loop with a condition: {% for item in data.a if item not in data.b %}.",
    ),
    (
        "zip product permutations combinations",
        "Loop over one list, and look into the other: {{ data.names[loop.index0] }}.",
    ),
    ("mandatory required", "Remove it: a missing value is an error anyway."),
    ("type_debug typeof type", "Use a test: {{ data.title is string }}."),
    ("b64decode base64decode decode_base64", "Templates do not decode. Send the text as it is: {{ data.title }}."),
    ("base64 base64encode b64enc base64_encode", "Write {{ data.title | b64encode }}."),
    ("basename dirname realpath expanduser splitext urlsplit", _NO_SPLIT),
    ("average avg mean", "Write {{ data.prices | jmespath('avg(@)') }}."),
    ("median sqrt log pow exponent root", "Let the event's publisher compute it, or add a filter with a plugin."),
    ("multiply times plus minus divided_by modulo subtract divide", _MATH),
    ("ceil ceiling", "Write {{ data.value | round(0, 'ceil') }}."),
    ("floor", "Write {{ data.value | round(0, 'floor') }}."),
    ("keys", _KEYS),
    ("values", _VALUES),
    ("contains", _IN),
    ("size len", _LENGTH),
    ("str to_string tostring toString", "Write {{ data.count | string }}."),
    ("to_int toInt integer number", _NUMBER),
    ("to_float tofloat", "Write {{ data.value | float }}."),
    ("strip lstrip rstrip strip_newlines squish", "Write {{ data.title | trim }}."),
    ("downcase lowercase toLower casefold lcase", "Write {{ data.title | lower }}."),
    ("upcase uppercase toUpper ucase", "Write {{ data.title | upper }}."),
    ("titlecase title_case", "Write {{ data.title | title }}."),
    ("strip_html remove_html plaintext", "Write {{ data.title | striptags }}."),
    ("truncatewords truncate_words truncatechars abbrev ellipsis", "Write {{ data.title | truncate(80) }}."),
    ("remove", "Write {{ data.title | replace('a', '') }}."),
    ("default_if_none ifnull coalesce otherwise", "Write {{ data.note | default('none') }}."),
    ("where filter", "Write {{ data.alerts | selectattr('status', 'equalto', 'firing') | list }}."),
    ("pluck collect", "Write {{ data.alerts | map(attribute='name') | list }}."),
    ("uniq distinct", "Write {{ data.tags | unique }}."),
    ("sort_by order_by sortby", "Write {{ data.alerts | sort(attribute='name') }}."),
    ("startswith starts_with", _STARTS),
    ("endswith ends_with", _ENDS),
    ("slugify slug", "Write {{ data.title | lower | replace(' ', '-') }}."),
    ("first_or_default", "Write {{ data.alerts[0] | default('none') }}."),
    ("is_defined exists", "Use a test: {% if data.note is defined %}."),
    ("translate trans t", "Write the text itself."),
    ("vault unvault secret", _ENVIRONMENT),
    ("nindent", _LAYOUT),
)

NAMES = _table(
    ("end", "In Go, this word ends a block. Write {% endif %} or {% endfor %}."),
    ("range", "In Go, this word begins a loop. Write {% for item in data.tags %}."),
    ("with", "In Go, this word shortens paths. Write the whole path: {{ data.requester.name }}."),
    ("len length", _LENGTH),
    ("template define block", _ONE_BODY),
    ("printf print", _JOIN),
    ("endif endfor endraw", "Write it as a tag: {% endif %} or {% endfor %}."),
    ("now today utcnow timestamp", _TIME),
    ("event payload body alert message trigger input json", "The event's fields are in data: write {{ data.title }}."),
    ("item this element it", "Loops give a name: {% for item in data.tags %}, and then {{ item }}."),
    ("index", "Write {{ loop.index }} in a loop."),
    ("nil nothing undefined blank empty", "Write none, or {{ not data.tags }} for an empty list."),
    ("yes on", "Write true."),
    ("no off", "Write false."),
    ("env environ secrets vars var", _ENVIRONMENT),
    ("states trigger_data ansible_facts hostvars inventory_hostname request session config self", _ONLY_EVENT),
    ("uuid guid random", _NOTHING_RANDOM),
    ("break", "Take a part of the list: {% for item in data.tags[:3] %}."),
    ("continue", "Leave items out with a condition: {% for item in data.tags if item != 'x' %}."),
)
