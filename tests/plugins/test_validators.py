from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.bounded import Budget
from hookctl.errors import TemplateError
from hookctl.model import Json, Mismatch
from hookctl.plugin import Envelope
from hookctl.plugin.host import load_plugins
from hookctl_plugins.validator.json_path_query import compile_path

VALIDATORS = load_plugins().validators
BODY: Json = {
    "status": "accepted",
    "code": 0,
    "ratio": 1.0,
    "ok": True,
    "nothing": None,
    "results": [{"ok": True, "id": 1}, {"ok": False, "id": 2}],
    "nested": {"deep": {"id": 3}},
}


def envelope(data: Json = BODY, *, status: int = 200, problem: str = "") -> Envelope:
    return Envelope(
        status=status, headers={"content-type": "application/json", "x-result": "stored"}, data=data, problem=problem
    )


def check(kind: str, settings_: dict[str, Json], response: Envelope | None = None) -> Sequence[Mismatch]:
    return VALIDATORS[kind].build(settings_)(response or envelope())


def json_path(path: str, *expected: Json, match: str = "all", response: Envelope | None = None) -> Sequence[Mismatch]:
    return check("json_path", {"json_path": path, "expected_values": list(expected), "match": match}, response)


def refusal(kind: str, settings_: dict[str, Json]) -> TemplateError:
    with pytest.raises(TemplateError) as raised:
        VALIDATORS[kind].build(settings_)
    assert raised.value.hint
    return raised.value


# -- json_path ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "got", "accepted"),
    [
        ("accepted", "accepted", True),
        ("accepted", "Accepted", False),
        ("1", 1, True),
        ("1", "1", True),
        ("1", True, False),
        ("1.0", 1, True),  # one number, written twice
        ("01", 1, False),  # no JSON
        (" 1", 1, False),
        ("true", True, True),
        ("True", True, False),
        ("null", None, True),
        ("null", "null", True),
        ('"x"', "x", False),  # the JSON text of a string is no string
        ("[]", [], False),
        ("NaN", float("nan"), False),
        (1, 1, True),
        (1, 1.0, True),
        (1, "1", False),
        (1, True, False),
        (0, False, False),
        (0, None, False),
        (True, True, True),
        (True, 1, False),
        (True, "true", False),
        (None, None, True),
        (None, "null", False),
        ("x", {"x": 1}, False),
        ("x", ["x"], False),
        ("9" * 5000, "9" * 5000, True),  # more digits than Python reads as a number
    ],
)
def test_expected_value(expected: Json, got: Json, accepted: bool) -> None:
    assert (not json_path("$.data", expected, response=envelope(got))) is accepted


@given(
    expected=st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    got=st.none() | st.booleans() | st.integers() | st.text(),
)
@settings(max_examples=200)
def test_expected_value_as_the_rule_says_it(expected: Json, got: Json) -> None:
    def same(one: Json, two: Json) -> bool:
        kinds = [
            bool if isinstance(value, bool) else float if isinstance(value, int | float) else type(value)
            for value in (one, two)
        ]
        return kinds[0] is kinds[1] and one == two

    written = isinstance(expected, str) and not isinstance(got, str) and expected == json.dumps(got)
    if same(expected, got) or written:
        assert not json_path("$.data", expected, response=envelope(got))
    elif not isinstance(expected, str):
        assert json_path("$.data", expected, response=envelope(got))


@pytest.mark.parametrize(
    ("path", "expected", "match"),
    [
        ("$.data.status", ["queued", "accepted"], "all"),
        ("$['data']['status']", ["accepted"], "all"),
        ("$.status", [200], "all"),
        ("$.headers['x-result']", ["stored"], "all"),
        ("$.data.results[*].id", [1, 2], "all"),
        ("$.data.results[*].id", [2], "any"),
        ("$.data..id", [1, 2, 3], "all"),
        ("$.data.results[?@.ok].id", [1, 2], "all"),  # asks whether there is one, as RFC 9535 has it
        ("$.data.results[?@.ok == true].id", [1], "all"),
        ("$.data.results[?@.id == $.data.results[1].id].id", [2], "all"),
        ("$.data.results[?length(@) == 2 && @.ok != true].id", [2], "all"),
        ("$.data.results[?count(@.*) == 2].id", [1, 2], "all"),
        ("$.data.results[-1].ok", [False], "all"),
        ("$.data[?search(@, '^acc')]", ["accepted"], "all"),
        ("$.headers[?match(@, 'application/.*')]", ["application/json"], "all"),
    ],
)
def test_path_holds(path: str, expected: list[Json], match: str) -> None:
    assert json_path(path, *expected, match=match) == ()


def test_every_node_must_match() -> None:
    (mismatch,) = json_path("$.data.results[*].ok", True)
    assert mismatch.validator == "json_path $.data.results[*].ok"
    assert mismatch.path == "$['data']['results'][1]['ok']"
    assert (mismatch.expected, mismatch.got) == ([True], False)
    assert mismatch.message == "$['data']['results'][1]['ok'] is false, not true"


def test_a_single_value_is_named_as_it_was_written() -> None:
    (mismatch,) = json_path("$.data.status", "queued", "done")
    assert mismatch.path == "$.data.status"
    assert mismatch.message == '$.data.status is "accepted", not "queued" or "done"'


@pytest.mark.parametrize(
    ("kind", "settings_", "message"),
    [
        ("json_path", {"json_path": "$.data.ok", "expected_values": [True]}, "nothing at this path: the body is HTML"),
        ("json_path", {"json_path": "$.data[0]", "expected_values": [True]}, "nothing at this path: the body is HTML"),
        ("jmespath", {"expression": "data.ok"}, "gives null, not true; the body is HTML"),
        ("jmespath", {"expression": "length(data.ok) == `1`"}, "; the body is HTML"),
    ],
)
def test_a_mismatch_says_what_the_body_is(kind: str, settings_: dict[str, Json], message: str) -> None:
    response = Envelope(status=200, headers={}, data="<html>", not_json="the body is HTML")
    (mismatch,) = check(kind, settings_, response)
    assert mismatch.message.endswith(message)


def test_what_the_body_is_does_not_matter_to_the_status_and_headers() -> None:
    response = Envelope(status=200, headers={}, data="<html>", not_json="the body is HTML")
    cases: list[tuple[str, dict[str, Json]]] = [
        ("json_path", {"json_path": "$.headers.x", "expected_values": [1]}),
        ("jmespath", {"expression": "headers.x"}),
    ]
    for kind, settings_ in cases:
        (mismatch,) = check(kind, settings_, response)
        assert "HTML" not in mismatch.message


@pytest.mark.parametrize("match", ["all", "any"])
def test_an_empty_selection_is_a_mismatch(match: str) -> None:
    (mismatch,) = json_path("$.data.missing", "x", match=match)
    assert "nothing at this path" in mismatch.message
    (mismatch,) = json_path("$.data.status", "x", match=match, response=envelope("<html>"))
    assert "nothing at this path" in mismatch.message


def test_any_tells_of_every_value_when_none_matches() -> None:
    assert [mismatch.got for mismatch in json_path("$.data.results[*].id", 7, match="any")] == [1, 2]


def test_many_mismatches_and_long_values_are_cut() -> None:
    mismatches = json_path("$.data[*]", "x", response=envelope(["y" * 5000] * 1000))
    assert len(mismatches) == 5
    assert all(len(mismatch.message) < 200 and len(str(mismatch.got)) <= 1000 for mismatch in mismatches)


def test_half_a_surrogate_pair_can_be_printed() -> None:
    (mismatch,) = json_path("$.data", "x", response=envelope(json.loads('"\\ud800"')))
    assert (mismatch.message + str(mismatch.got)).encode()


def test_a_body_that_cannot_be_trusted_fails_what_reads_it() -> None:
    bad = envelope(problem="the body is longer than 65536 bytes")
    (mismatch,) = json_path("$.data.status", "accepted", response=bad)
    assert "the body is longer than 65536 bytes" in mismatch.message
    assert json_path("$.status", 200, response=bad) == ()
    assert json_path("$.headers['x-result']", "stored", response=bad) == ()
    (mismatch,) = check("jmespath", {"expression": "data.status == 'accepted'"}, bad)
    assert "the body is longer than 65536 bytes" in mismatch.message
    (mismatch,) = check("jmespath", {"expression": "@ != `null`"}, bad)
    assert "the body is longer than 65536 bytes" in mismatch.message
    assert check("jmespath", {"expression": "status == `200`"}, bad) == ()


@pytest.mark.parametrize(
    ("path", "rule", "part"),
    [
        ("", "json-path-invalid", ""),
        ("data.status", "json-path-invalid", "d"),
        ("$.data.", "json-path-invalid", "."),
        ("$.data[", "json-path-invalid", None),
        ("$.data['x]", "json-path-invalid", None),
        ("$.data[01]", "json-path-invalid", None),
        ("$.data[?@.id == $.data.id - 1]", "json-path-invalid", None),  # there is no arithmetic
        ("$.data[?@.x = 1]", "json-path-invalid", None),
        ("$.data[9999999999999999999]", "json-path-invalid", None),
        ("$.data[?nope(@.x)]", "json-path-invalid", "nope"),
        (r"$.data[?match(@.x, '\\d+')]", "json-path-invalid", r"\\d+"),
        ("$.data[?@.y && !search(@.x, '(?i)ok')]", "json-path-invalid", "(?i)ok"),
        ("$.data[?count($.data[?search(@, 'a{1001}')]) > 1]", "json-path-invalid", "a{1001}"),
        ("$.data[?" + "(" * 3000 + "@.x" + ")" * 3000 + "]", "json-path-invalid", None),
        ("$", "validator-unknown-path", "$"),
        ("$..status", "validator-unknown-path", "$..status"),
        ("$[*]", "validator-unknown-path", "$[*]"),
        ("$['data', 'status']", "validator-unknown-path", None),
        ("$.body.status", "validator-unknown-path", "$.body.status"),
        ("$.headers['Content-Type']", "validator-unknown-path", "Content-Type"),
        ("$.headers.ETag", "validator-unknown-path", "ETag"),
    ],
)
def test_path_is_refused_with_its_place(path: str, rule: str, part: str | None) -> None:
    error = refusal("json_path", {"json_path": path, "expected_values": ["x"]})
    assert error.rule == rule
    assert 0 <= error.start <= error.end <= len(path)
    if part is not None:
        assert path[error.start : error.end] == part


def test_a_regular_expression_that_json_path_does_not_have_is_explained() -> None:
    error = refusal("json_path", {"json_path": r"$.data[?match(@.x, '\\d+')]", "expected_values": ["x"]})
    assert error.message == r"\\d+ is not a regular expression that match() supports"
    assert r"[0-9] for \d" in error.hint


def test_header_names_are_said_to_be_lower_case() -> None:
    assert (
        "'content-type'"
        in refusal("json_path", {"json_path": "$.headers['Content-Type']", "expected_values": ["x"]}).hint
    )


def test_a_deep_response_is_a_mismatch() -> None:
    deep: Json = 1
    for _ in range(5000):
        deep = [deep]
    (mismatch,) = json_path("$.data..id", 1, response=envelope(deep))
    assert mismatch.message == "the response has nothing at this path"
    (mismatch,) = json_path("$.data", 1, response=envelope(deep))
    assert mismatch.message.startswith(
        ("$.data is a value nested too deeply", "$.data is [[[[")
    )  # Python versions differ in how deep they write
    (mismatch,) = check("jmespath", {"expression": "data == `[]`"}, envelope(deep))
    assert mismatch.got is False


WIDE: Json = {"xs": [[[0] * 10] * 10] * 10}


@pytest.mark.parametrize(
    "path",
    [
        "$.data" + "[0,0]" * 30,
        "$.data" + "..*" * 30,
        "$.data..[?@..[?@..x]]..*",
        "$.data..[?count($..*) > 1]",
        "$.data..[?$.data == @ || $.data == @]",
        "$.data.xs[" + ",".join(["*"] * 200) + "][" + ",".join(["0"] * 250) + "].x",
        "$.data.xs[" + ",".join(["0:9"] * 90) + "][" + ",".join(["::-1"] * 90) + "].x",
        "$.data..[?" + " || ".join(["@..x"] * 150) + "]",
        "$.data.xs..[?search('" + "x" * 60 + "', '(.*x){60}y')]",
    ],
)
def test_a_path_that_takes_too_many_steps_is_a_mismatch(path: str) -> None:
    """Repeated segments, nested descents and nested filters: each stops at the budget, and none is refused as such."""
    body: Json = WIDE
    for _ in range(0 if "xs" in path else 50):
        body = [body]
    (mismatch,) = json_path(path, 1, response=envelope(body))
    assert mismatch.message == "the path cannot be followed in this response: it takes more than 500,000 steps"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.data..a..b", [2]),
        ("$.data.o[?count($.data.l[*]) == 3].a.b", [2]),
        ("$.data.l[?@ == true]", [True]),
        ("$.data.l[?@ == 1]", [1]),
        ("$.data.l[?@ != 1]", [True, "x"]),
        ("$.data.l[?@ <= 1]", [1]),
        ("$.data.l[?@ >= 'x']", ["x"]),
        ("$.data.l[?@.gone == @.lost]", [1, True, "x"]),
        ("$.data.l[?@.gone < 1]", []),
        ("$.data.l[?length(@) == 1]", ["x"]),
        ("$.data.l[?@]", [1, True, "x"]),
        ("$.data.l[?!@]", []),
        ("$.data.o[?value(@.a.b) == 2].a.b", [2]),
        ("$.data.l[-1,0]", ["x", 1]),
        ("$.data.l[::-2]", ["x", 1]),
        ("$.data.l[5,-9]", []),
        ("$.data.o[?@.a && @.a.b > 1 || @.none].a.b", [2]),
        ("$.data..b", [2]),
        ("$.data..[0]", [1]),
    ],
)
def test_what_a_path_selects(path: str, found: list[Json]) -> None:
    query = compile_path(path)
    nodes = query.find({"data": {"l": [1, True, "x"], "o": {"k": {"a": {"b": 2}}}}}, Budget(1000))
    assert [node.value for node in nodes] == found


@pytest.mark.parametrize(
    "expression", ["to_number('1e999')", "sum([to_number('1e308'), to_number('1e308')])", f"to_number('{'9' * 900}')"]
)
def test_a_number_that_no_record_can_hold_is_kept_as_text(expression: str) -> None:
    (mismatch,) = check("jmespath", {"expression": expression})
    assert isinstance(mismatch.got, str)
    assert mismatch.got[:8] in {"Infinity", "99999999"}


def test_a_number_that_nothing_can_write_is_named() -> None:
    (mismatch,) = check("jmespath", {"expression": "sum(data)"}, envelope([10**4299 * 9, 10**4299 * 9]))
    assert "a number with too many digits to be shown" in mismatch.message


# -- jmespath ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected", "holds"),
    [
        ("data.status == 'accepted'", None, True),
        ("data.status == 'queued'", None, False),
        ("data.status", None, False),  # only true is true: any text would do otherwise
        ("data.results", None, False),
        ("data.missing", None, False),
        ("status == `200` && headers.\"x-result\" == 'stored'", None, True),
        ("data.results[?ok].id | [0]", [1], True),
        ("data.code", ["0"], True),
        ("data.code", [False], False),
        ("data.missing", [None], True),
        ("length(data.results)", [2], True),
        ("data.results[].id", [1, 2], False),  # a list is no scalar
        ("sort_by(data.results, &id)[0].id", [1], True),
        ("contains(data.missing, 'x')", None, False),
        ("data.status < `1`", None, False),
        ("avg(data.results[].ok)", None, False),
        ("merge(data, {a: status}).a", [200], True),
    ],
)
def test_jmespath(expression: str, expected: list[Json] | None, holds: bool) -> None:
    block: dict[str, Json] = {"expression": expression}
    if expected is not None:
        block["expected_values"] = expected
    assert (check("jmespath", block) == ()) is holds


def test_jmespath_says_what_it_got() -> None:
    (mismatch,) = check("jmespath", {"expression": "data.status", "expected_values": ["done", 0]})
    assert mismatch.message == 'the expression gives "accepted", not "done" or 0'
    assert (mismatch.path, mismatch.expected, mismatch.got) == ("data.status", ["done", 0], "accepted")


@pytest.mark.parametrize(
    ("expression", "rule", "part"),
    [
        ("", "expression-invalid", ""),
        ("data.", "expression-invalid", "."),
        ("data ==", "expression-invalid", None),
        ("data = 1", "expression-invalid", "="),
        ("'open", "expression-invalid", None),
        ("data # x", "expression-invalid", "#"),
        ("(" * 5000, "expression-invalid", None),
        ("nope(data)", "expression-invalid", "nope"),
        ("lenght(data)", "expression-invalid", "lenght"),
        ("length(data, data)", "expression-invalid", "length"),
        ("length()", "expression-invalid", "length"),
        ("not_null()", "expression-invalid", "not_null"),
        ("data[" + "9" * 5000 + "]", "expression-invalid", None),
        ("dta.status == 'ok'", "validator-unknown-path", "dta"),
        ("data.body == body", "validator-unknown-path", "body"),
        ("length(body.x) > `1` && data.y", "validator-unknown-path", "body"),
        ("[data, event]", "validator-unknown-path", "event"),
    ],
)
def test_jmespath_is_refused_with_its_place(expression: str, rule: str, part: str | None) -> None:
    error = refusal("jmespath", {"expression": expression})
    assert error.rule == rule
    assert 0 <= error.start <= error.end <= len(expression)
    if part is not None:
        assert expression[error.start : error.end] == part


def test_jmespath_suggests() -> None:
    assert refusal("jmespath", {"expression": "dta.x"}).hint == "Did you mean data?"
    assert refusal("jmespath", {"expression": "lenght(data)"}).hint == "Did you mean length()?"
    assert refusal("jmespath", {"expression": "data.body == body"}).start == len("data.body == ")


@pytest.mark.parametrize(
    "expression",
    ["data[?a == b].c", "data.*.x", "map(&x, data.l)", "data | status", "data[].x[]", "data[1:2].x", "{a: data.a}.a"],
)
def test_names_inside_the_response_are_free(expression: str) -> None:
    VALIDATORS["jmespath"].build({"expression": expression})


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "x"]), inner, max_size=3),
)
PATHS = (
    "$.data..a",
    "$.data[?@.a < @.b].x",
    "$.data[?@ == $.data.a]",
    "$.data[?length(@.a) > 1 || @.x]",
    "$.data[?count(@..a) >= 2]",
    "$.data[?value(@.a) >= 'x']",
    "$.data[1:5:2][*]",
)
EXPRESSIONS = (
    "data.a < data.b",
    "sort_by(data, &a)[0].x",
    "sum(data)",
    "join('x', data.a)",
    "to_number(data.a) > `1`",
    "max_by(data, &x).a",
)


@given(data=JSON, path=st.sampled_from(PATHS), expression=st.sampled_from(EXPRESSIONS))
@settings(max_examples=300)
def test_no_response_makes_a_validator_raise(data: Any, path: str, expression: str) -> None:
    json_path(path, "x", 1, response=envelope(data))
    check("jmespath", {"expression": expression}, envelope(data))


# -- status ------------------------------------------------------------------------------------------------------------


def test_status() -> None:
    assert check("status", {"codes": [200, 202]}, envelope(status=202)) == ()
    (mismatch,) = check("status", {"codes": [200, 202]}, envelope(status=204))
    assert mismatch.message == "the status is 204, not 200 or 202"
    assert (mismatch.validator, mismatch.path, mismatch.expected, mismatch.got) == (
        "status 200, 202",
        "$.status",
        [200, 202],
        204,
    )


# -- all ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "block"),
    [
        ("json_path", {"json_path": "$.data.status", "expected_values": ["x"]}),
        ("jmespath", {"expression": "data.status == 'x'"}),
        ("status", {"codes": [202]}),
    ],
)
def test_label_is_what_mismatches_say(kind: str, block: dict[str, Json]) -> None:
    (mismatch,) = check(kind, block)
    assert VALIDATORS[kind].label(block) == mismatch.validator
    expression = VALIDATORS[kind].expression
    assert not expression or expression in block


@pytest.mark.parametrize(
    ("kind", "block"),
    [
        ("json_path", {"json_path": "$.data", "expected_values": []}),
        ("json_path", {"json_path": "$.data"}),
        ("json_path", {"json_path": "$.data" + "x" * 2000, "expected_values": ["x"]}),
        ("json_path", {"json_path": "$.data", "expected_values": [["x"]]}),
        ("json_path", {"json_path": "$.data", "expected_values": ["x"], "match": "some"}),
        ("jmespath", {"expression": "data", "expected_values": []}),
        ("jmespath", {}),
        ("status", {"codes": []}),
        ("status", {"codes": [404]}),
        ("status", {"codes": ["200"]}),
        ("status", {"codes": [200], "extra": 1}),
    ],
)
def test_schema_refuses(kind: str, block: dict[str, Json]) -> None:
    import jsonschema_rs

    assert not jsonschema_rs.is_valid(dict(VALIDATORS[kind].schema), block)


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)


@given(st.lists(names, min_size=1, max_size=4))
@settings(max_examples=100)
def test_a_path_of_names_alone_finds_what_it_names(steps: list[str]) -> None:
    document: Json = "found"
    for step in reversed(steps):
        document = {step: document}
    path = f"$.data.{'.'.join(steps)}"
    assert json_path(path, "found", response=envelope(document)) == ()
    assert json_path(f"$['data'].{'.'.join(steps)}", "found", response=envelope(document)) == ()
    (mismatch,) = json_path(path, "other", response=envelope(document))
    assert mismatch.path == path
