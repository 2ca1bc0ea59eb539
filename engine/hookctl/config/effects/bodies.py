"""Opens up the body of a request, so that two of them are compared by what they say and not by how they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from hookctl.config.effects.structure import Masked, Opened, open_up
from hookctl.json.strict import parse
from hookctl.model import BodyFormat, DeliveryPlan
from hookctl.model.secret import has_reference

FORM = "form"


def format_of(plan: DeliveryPlan) -> str:
    """The format of a delivery plan's bodies: ``form``, or a body format."""
    return plan.body_format.value if plan.form is None else FORM


def open_body(body: bytes, plan: DeliveryPlan) -> Opened:
    """The body of one of a delivery plan's requests, opened up; its text, if it is not what the plan's format says.

    JSON is a value, lines of JSON and of text are a list, and a form has its fields as keys. XML has the place of each
    element and attribute, such as ``/alert/item[2]/@id``, as a key, and its text as the value.
    """
    text = body.decode("utf-8", "replace")
    try:
        return _form(text, plan.form) if plan.form is not None else _OPEN[plan.body_format](text)
    except ValueError:
        return text


def _form(text: str, written: Mapping[str, str]) -> Opened:
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True)
    return {
        name: Masked(value, written[name]) if has_reference(written.get(name, "")) else value for name, value in pairs
    }


def _json(text: str) -> Opened:
    return open_up(parse(text, any_integer=True))


def _lines_of_json(text: str) -> Opened:
    return [_json(line) for line in text.split("\n") if line]


def _lines(text: str) -> Opened:
    return [*text.removesuffix("\n").split("\n")]


def _xml(text: str) -> Opened:
    """Raises ValueError for text that is not well-formed, or has a document type: templates never write one."""
    from xml.parsers import expat  # only for webhooks that send XML

    found: dict[str, Opened] = {}
    counts: Counter[str] = Counter()
    texts: list[tuple[str, list[str]]] = [("", [])]

    def start(name: str, attributes: dict[str, str]) -> None:
        path = f"{texts[-1][0]}/{name}"
        counts[path] += 1
        place = path if counts[path] == 1 else f"{path}[{counts[path]}]"
        found[place] = ""
        found.update({f"{place}/@{key}": value for key, value in attributes.items()})
        texts.append((place, []))

    def text_of(part: str) -> None:
        texts[-1][1].append(part)

    def end(_: str) -> None:
        place, parts = texts.pop()
        found[place] = "".join(parts).strip()

    def refuse(*_: object) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text_of
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    return found


_OPEN: Mapping[BodyFormat, Callable[[str], Opened]] = {
    BodyFormat.JSON: _json,
    BodyFormat.NDJSON: _lines_of_json,
    BodyFormat.TEXT: _lines,
    BodyFormat.XML: _xml,
}
