"""Bytes to events: what is accepted, what is refused and why, however the bytes are cut."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.delivery.events.intake import MAX_ARRAY_BYTES, MAX_EVENT_BYTES, BadEvent, EventGate, EventReader
from hookctl.errors import EventError
from hookctl.model import Event, Json
from hookctl.plugin.interfaces import EventType

TYPE = EventType(
    name="anomaly",
    summary="",
    schema={
        "type": "object",
        "required": ["id", "event_type", "data"],
        "properties": {
            "data": {
                "type": "object",
                "properties": {"severity": {"enum": ["Low", "High"]}, "tags": {"items": {"type": "string"}}},
            }
        },
    },
    mock={},
)
TYPES = {"anomaly": TYPE, "access": replace(TYPE, name="access")}


def whole(name: str = "e1", **data: Json) -> dict[str, Json]:
    return {"id": name, "event_type": "anomaly", "event_time": 1.5, "data": data}


def line(document: Mapping[str, Json]) -> bytes:
    return json.dumps(document).encode()


def read(data: bytes, size: int = 1 << 30) -> list[str]:
    """Ids of events, and ``place: reason`` of what is none."""
    reader = EventReader(EventGate(TYPES))
    found: list[Event | BadEvent] = []
    for start in range(0, len(data), size):
        found += reader.feed(data[start : start + size])
    found += reader.finish()
    return [one.id if isinstance(one, Event) else f"{one.place}: {one.reason}" for one in found]


def reason(text: bytes) -> str:
    with pytest.raises(EventError) as caught:
        EventGate(TYPES).parse(text)
    return caught.value.message


def test_an_event_is_what_it_says() -> None:
    document = whole(severity="High")
    event = EventGate(TYPES).parse(line(document))
    assert event == Event("e1", "anomaly", 1.5, document, event.text)
    assert json.loads(event.text) == document


def nested(depth: int) -> bytes:
    return line(whole()).replace(b'"data": {}', b'"data": {"x": ' + b"[" * (depth - 2) + b"]" * (depth - 2) + b"}")


# fmt: off
REFUSED = [
    (b"{",
     "not valid JSON at column 2"),
    (b"[]",                                                 "not a JSON object but a list"),
    (b"null",                                               "not a JSON object but null"),
    (b"true",                                               "not a JSON object but a boolean"),
    (b"3",                                                  "not a JSON object but a number"),
    (b'{"a": NaN}',                                         "NaN is not JSON"),
    (b'{"a": -Infinity}',                                   "-Infinity is not JSON"),
    (b'{"a": 1e999}',                                       "the number 1e999 is too large"),
    (b'{"a": {"b": 1, "b": 2}}',                            "the key 'b' appears twice in one object"),
    (b'{"a": {"b": 1, "b": 2}, "c": "\\u0022\\u0022"}',     "the key 'b' appears twice in one object"),
    (b'{"a": ' + b"1" * 4301 + b"}",                        "a number with more digits than can be read"),
    (b'{"a": "\\ud800"}',                                   "an unpaired surrogate"),
    (b'{"\\uDFFF": 1}',                                     "an unpaired surrogate"),
    (b'{"a": "\xff"}',                                      "not UTF-8 at byte 8"),
    (b"[" * 100_000,                                        "nested deeper than 64"),
    (nested(65),                                            "nested deeper than 64"),
    (b'{"a": "' + b"x" * MAX_EVENT_BYTES + b'"}',           "larger than 1 MiB"),
    (b"{}",                                                 "event_type is missing"),
    (b'{"event_type": "anomalie"}',                         "unknown event type 'anomalie'; did you mean 'anomaly'?"),
    (b'{"event_type": "xyz"}',                              "unknown event type 'xyz'; known: access, anomaly"),
    (b'{"event_type": ["anomaly"]}',                        "unknown event type ['anomaly']; did you mean 'anomaly'?"),
    (b'{"event_type": "anomaly", "data": {}}',              '"id" is a required property'),
    (line(whole(severity="Huge")),                          'data.severity: "Huge" is not one of "Low" or "High"'),
    (line(whole(tags=["a", 1])),                            'data.tags[1]: 1 is not of type "string"'),
    (line(whole() | {"id": ""}),                            "id: must be printable text of 1 to 256 characters"),
    (line(whole() | {"id": 7}),                             "id: must be printable text of 1 to 256 characters"),
    (line(whole() | {"id": "x" * 257}),                     "id: must be printable text of 1 to 256 characters"),
    (line(whole() | {"id": "a\nb"}),                        "id: must be printable text of 1 to 256 characters"),
    (line(whole() | {"event_time": "now"}),                 "event_time: must be a number of seconds since 1970"),
    (line(whole() | {"event_time": True}),                  "event_time: must be a number of seconds since 1970"),
    (line(whole() | {"event_time": 10**400}),               "event_time: must be a number of seconds since 1970"),
]
# fmt: on


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_what_is_refused_and_why(text: bytes, expected: str) -> None:
    assert reason(text) == expected


def test_a_long_reason_is_cut() -> None:
    assert len(reason(line(whole(severity="x" * 10_000)))) == 300


def test_just_inside_the_limits() -> None:
    assert read(nested(64)) == ["e1"]
    assert read(line(whole(text="x" * (MAX_EVENT_BYTES - len(line(whole(text=""))))))) == ["e1"]
    assert read(line(whole(pair="\U0001f600"))) == ["e1"]
    assert read(line(whole(number=10**4000))) == ["e1"]


def test_a_missing_id_is_refused_whatever_the_schema_asks() -> None:
    with pytest.raises(EventError, match="id is missing"):
        EventGate({"free": EventType(name="free", summary="", schema={}, mock={})}).parse(b'{"event_type": "free"}')


def test_a_plugins_broken_schema_is_named() -> None:
    with pytest.raises(EventError, match="the schema of the event type 'free' is not a JSON Schema"):
        EventGate({"free": EventType(name="free", summary="", schema={"type": "nothing"}, mock={})}).parse(
            b'{"event_type": "free"}'
        )


# -- lines

GOOD = [line(whole(f"e{number}")) for number in range(3)]
LINES = b"\n".join([GOOD[0], b"", b"nonsense", GOOD[1], b"{}", GOOD[2]])
FOUND = ["e0", "line 3: not valid JSON at column 1", "e1", "line 5: event_type is missing", "e2"]


@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n  \n"])
def test_bad_lines_are_named_and_the_rest_go_on(size: int, end: bytes) -> None:
    assert read(LINES + end, size) == FOUND


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    assert read(b"\xef\xbb\xbf" + b"\r\n".join(GOOD)) == ["e0", "e1", "e2"]
    assert read(b"\xef\xbb\xbf" + b"\n".join(GOOD), size=1) == ["e0", "e1", "e2"]


def test_nothing_at_all() -> None:
    assert read(b"") == read(b"\n \n") == read(b"\xef\xbb\xbf") == []


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_a_later_line_that_is_an_array_is_a_bad_line(size: int) -> None:
    assert read(b"\n\n" + GOOD[0] + b"\n[1]\n" + GOOD[1], size) == [
        "e0",
        "line 4: not a JSON object but a list",
        "e1",
    ]


@pytest.mark.parametrize("size", [1, 2, 1 << 20])
def test_blank_lines_before_the_first_are_counted(size: int) -> None:
    assert read(b"\xef\xbb\xbf \n\r\n  x\n", size) == ["line 3: not valid JSON at column 1"]
    assert read(b"\xef", size) == ["line 1: not UTF-8 at byte 1"]


def test_a_line_that_never_ends_is_named_once_and_not_kept() -> None:
    reader = EventReader(EventGate(TYPES))
    found = list(reader.feed(GOOD[0] + b"\n{"))
    for _ in range(30):
        found += reader.feed(b"x" * 100_000)
        assert len(reader._rest) <= MAX_EVENT_BYTES
    found += reader.feed(b"\n" + GOOD[1])
    found += reader.finish()
    assert [one.id if isinstance(one, Event) else one.place for one in found] == ["e0", "line 2", "e1"]


# -- an array


SEVERAL = "JSON over several lines"
WHAT_TO_DO = ". Write each event on one line, for example with `jq -c .`"


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("indent", [1, 2, "\t"])
def test_each_event_over_several_lines_is_one_bad_event_and_the_first_says_what_to_do(
    size: int, indent: int | str
) -> None:
    document = whole(severity="High", tags=["{", '"}', "a\\"], deep=[[{}], {"x": [1]}])
    pretty = json.dumps(document, indent=indent).encode()
    lines = pretty.count(b"\n") + 1
    text = b"\n".join([pretty, line(whole("e2")), pretty, b"nonsense", line(whole("e3"))])
    assert read(text, size) == [
        f"line 1: {SEVERAL}{WHAT_TO_DO}",
        "e2",
        f"line {lines + 2}: {SEVERAL}",
        f"line {2 * lines + 2}: not valid JSON at column 1",
        "e3",
    ]


def test_after_an_event_that_breaks_off_the_next_line_is_read() -> None:
    broken = b'{"id": "e1",\n  "data": {'
    assert read(broken + b"\n" + line(whole("e2"))) == [f"line 1: {SEVERAL}{WHAT_TO_DO}", "e2"]
    assert read(broken + b"\n{}\n" + line(whole("e2")))[1:] == ["line 3: event_type is missing", "e2"]


@pytest.mark.parametrize("text", [b'{"id": "e1", "da', b'{"id": "e1"', b'{"id": 1}, {', b"}", b'  "a": 1,'])
def test_a_line_that_is_cut_off_is_not_several_lines(text: bytes) -> None:
    (found,) = read(text)
    assert found.startswith("line 1: not valid JSON") or text.endswith(b"{")


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_an_array(size: int) -> None:
    text = (
        b" [\n"
        + GOOD[0]
        + b" ,\n"
        + b'{"a": NaN},'
        + GOOD[1]
        + b', {"id": 1, "id": 2}, '
        + b"1" * 5000
        + b","
        + GOOD[2]
        + b"]\n"
    )
    assert read(text, size) == [
        "e0",
        "item 2: NaN is not JSON",
        "e1",
        "item 4: the key 'id' appears twice in one object",
        "item 5: a number with more digits than can be read",
        "e2",
    ]


@pytest.mark.parametrize("text", [b"[]", b" [ ] \n"])
def test_an_empty_array(text: bytes) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (b"", "the array is not complete: a comma or ] is missing after the previous item"),
        (b",", "the array is not complete"),
        (b", {", "the array is not complete"),
        (b', {"a": "', "the array is not complete: a comma or ] is missing after the previous item"),
        (b" 1", "the array is not complete: a comma or ] is missing after the previous item"),
        (b', 1 "', "the array is not complete: a comma or ] is missing after the previous item"),
        (b", " + b"[" * 100_000, "the array is not complete"),
    ],
)
def test_an_array_that_breaks_off_gives_what_came_before(rest: bytes, said: str) -> None:
    first, *_, last = read(b"[" + GOOD[0] + rest)
    assert first == "e0"
    assert last.partition(": ")[2] == f"{said}; the rest was not read"


def test_a_bad_item_of_an_array_keeps_nothing_back() -> None:
    bad = (
        b'{"a":}, [, 1], {"a": "]"}, {"b" [1]}, "a,]b", , {"c": '
        + b"[" * 100_000
        + b"]" * 100_000
        + b'}, "'
        + b"x" * MAX_EVENT_BYTES
        + b'"'
    )
    assert read(b"[" + GOOD[0] + b"," + bad + b"," + GOOD[1] + b"]") == [
        "e0",
        "item 2: not valid JSON at column 6",
        "item 3: not valid JSON at column 2",
        "item 4: event_type is missing",
        "item 5: not valid JSON at column 6",
        "item 6: not a JSON object but a string",
        "item 7: not valid JSON at column 1",
        "item 8: nested deeper than 64",
        "item 9: larger than 1 MiB",
        "e1",
    ]


def test_more_after_the_array() -> None:
    assert read(b"[" + GOOD[0] + b"] x") == [
        "e0",
        "item 2: there is text after the end of the array; the rest was not read",
    ]


def test_lines_of_which_the_first_happens_to_be_an_array() -> None:
    assert read(b"[1, 2]\n" + GOOD[0] + b"\n" + GOOD[1]) == ["line 1: not a JSON object but a list", "e0", "e1"]


def test_an_array_on_one_line_is_an_array() -> None:
    assert read(b"[" + GOOD[0] + b"]\n\n") == ["e0"]


def test_an_endless_array_is_refused() -> None:
    reader = EventReader(EventGate(TYPES))
    list(reader.feed(b"["))
    with pytest.raises(EventError, match="64 MiB"):
        list(reader.feed(b" " * MAX_ARRAY_BYTES))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=4), st.integers(1, 50), st.booleans())
def test_whatever_data_comes_arrives(datas: list[dict[str, Json]], size: int, as_array: bool) -> None:
    free = {"anomaly": EventType(name="anomaly", summary="", schema={}, mock={})}
    documents = [whole(f"e{number}") | {"data": dict(data)} for number, data in enumerate(datas)]
    text = json.dumps(documents).encode() if as_array else b"\n".join(map(line, documents))
    reader = EventReader(EventGate(free))
    found: list[Event | BadEvent] = []
    for start in range(0, len(text), size):
        found += reader.feed(text[start : start + size])
    found += reader.finish()
    assert [one.document if isinstance(one, Event) else one for one in found] == documents


@given(st.binary(max_size=200), st.integers(1, 50))
def test_whatever_bytes_come_nothing_breaks(text: bytes, size: int) -> None:
    for one in read(text, size):
        assert one.startswith(("line ", "item "))


def test_a_schema_cannot_make_hookctl_send_a_request() -> None:
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}
    gate = EventGate({"anomaly": EventType(name="anomaly", summary="", schema=schema, mock={})})
    with pytest.raises(EventError, match="not a JSON Schema") as raised:
        gate.parse(line(whole()))
    assert "error sending request" not in raised.value.message
