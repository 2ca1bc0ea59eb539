"""Opens up the body of a request, so that two of them are compared by what they say and not by how they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, quote

from hookctl.config.effects.structure import JsonText, Masked, Opened, open_up
from hookctl.json.strict import parse
from hookctl.model import BodyFormat, DeliveryPlan
from hookctl.model.secret import REFERENCE, has_reference

FORM = "form"


def format_of(plan: DeliveryPlan) -> str:
    """The format of a delivery plan's bodies: ``form``, or a body format."""
    return plan.body_format.value if plan.form is None else FORM


def open_body(body: bytes, plan: DeliveryPlan, named: bytes | None = None) -> Opened:
    """The body of one of a delivery plan's requests, opened up; its text, if it is not what the plan's format says.

    JSON is a value, lines of JSON and of text are a list, and a form has its fields as keys. XML has the place of each
    element and attribute, such as ``/alert/item[2]/@id``, as a key, and its text as the value. Texts with secrets are
    equal if they are in ``named``, the same body :func:`with_names` of secrets; None: it has none.
    """
    value = _opened(body, plan)
    return value if named is None else _masked_where_named(value, _opened(named, plan))


def with_names(plan: DeliveryPlan) -> DeliveryPlan | None:
    """The plan with the name of each secret of the body in its place, as text of any format; None without secrets."""
    if plan.form is not None and any(map(has_reference, plan.form.values())):
        return replace(plan, form={name: _named(text) for name, text in plan.form.items()})
    if plan.body_template is not None and has_reference(plan.body_template):
        return replace(plan, body_template=_named(plan.body_template))
    return None


def _named(text: str) -> str:
    return REFERENCE.sub(lambda match: f"secret:{quote(match[0], safe='')}", text)


def _opened(body: bytes, plan: DeliveryPlan) -> Opened:
    text = body.decode("utf-8", "replace")
    try:
        return _form(text) if plan.form is not None else _OPEN[plan.body_format](text)
    except ValueError:
        return text


def _masked_where_named(value: Opened, named: Opened) -> Opened:
    """``value`` with each text that differs in ``named`` as :class:`Masked`. Both have the same structure."""
    if isinstance(value, dict) and isinstance(named, dict):
        return {key: _masked_where_named(item, named[key]) for key, item in value.items()}
    if isinstance(value, list) and isinstance(named, list):
        return [_masked_where_named(item, other) for item, other in zip(value, named, strict=True)]
    if isinstance(value, JsonText) and isinstance(named, JsonText):
        try:
            return JsonText(_masked_where_named(value.value, named.value), value.text)
        except KeyError:
            pass  # the text became JSON with the values of this event, and a key in it contains a secret
    text, written = (one.text if isinstance(one, JsonText) else one for one in (value, named))
    return Masked(text, written) if isinstance(text, str) and isinstance(written, str) and text != written else value


def _form(text: str) -> Opened:
    return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))


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
