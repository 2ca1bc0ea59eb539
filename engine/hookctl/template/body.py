"""Body templates: check, compile, describe.

Compared with Jinja's parse and render of the same template (ten expressions, CPython 3.11), a plain template takes 0.07
of the time to check and compile, and 0.27 to render. Any other template takes 1.0 to 1.2 and 0.5 to 1.0.
benchmarks/templates.py measures this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from hookctl.errors import RenderError, TemplateError
from hookctl.json.schema_paths import EventShape, is_certain
from hookctl.model import BodyFormat
from hookctl.model.problem import EventSchema, Filter, Problem
from hookctl.model.rules.texts import TEMPLATE_MOCK_EVENT, TEMPLATE_OPTIONAL_PATH
from hookctl.model.secret import Resolve
from hookctl.template.fields.body_check import PathChecker
from hookctl.template.fields.path_check import check_path
from hookctl.template.fields.reads import sources_of
from hookctl.template.fields.shapes import event_scope
from hookctl.template.fields.text_values import text_value_problems
from hookctl.template.formats.table import format_of
from hookctl.template.language.expressions import Node, Output, Path, walk
from hookctl.template.language.line_syntax import parse_line
from hookctl.template.language.parser import parse, read
from hookctl.template.language.placeholders import placeholder_problems
from hookctl.template.language.reading import Reading
from hookctl.template.language.usage import check_usage
from hookctl.template.proof.positions import Layout, Position
from hookctl.template.proof.references import about_reference, may_have_reference, reference_of, reference_problems
from hookctl.template.rendering.body_template import BodyTemplate
from hookctl.template.rendering.plain import Plain, compile_plain, offsets, split_plain


@dataclass(frozen=True, slots=True)
class Decision:
    """How the template writes one output. Offsets are those of ``{{`` and of the end of ``}}``."""

    start: int
    end: int
    expression: str
    position: Position


def check_body(
    text: str,
    event_type: EventSchema,
    filters: Mapping[str, Filter],
    certain: set[str] | None = None,
    body_format: BodyFormat = BodyFormat.JSON,
) -> list[Problem]:
    """All problems of a body template for this event type, in the order of the text.

    All problems are reported at once, as far as the template can be read. A template without errors compiles and
    renders the event type's mock event, unless a warning says that it may not. ``certain`` spares work on the next
    template for the same event type: the paths that always have a value, as far as templates have had them.
    """
    problems = placeholder_problems(text)
    plain = split_plain(text) if body_format is BodyFormat.JSON else None
    if plain is not None:
        problems += _check_plain(text, plain, event_type, certain if certain is not None else set())
        return sorted(problems, key=lambda problem: problem.start)
    try:
        reading, layout = _read(text, body_format)
    except TemplateError as error:
        return _advised([*problems, Problem.from_error(error)], text, body_format)
    nodes = reading.nodes
    if not reading.problems:
        sources_of(text)  # kept for the effects of the change, while the template is at hand
    problems += [*reading.problems, *layout.problems, *check_usage(nodes, filters)]
    paths = PathChecker(layout.positions, text)
    paths.nodes(nodes, event_scope(EventShape(event_type.schema), filters, any_name=reading.is_partial))
    problems += paths.problems
    can_run = not any(problem.is_error for problem in problems)
    problems += text_value_problems(nodes, layout.positions, text, event_type, filters if can_run else None)
    if event_type.mock and not any(problem.is_error for problem in problems):
        template = format_of(body_format).compile(nodes, layout.positions, text, filters, None)
        problems += _render_mock(template, event_type, problems, len(text))
    problems = _advised(problems, text, body_format)
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.start, problem.end))


def compile_body(
    text: str,
    filters: Mapping[str, Filter],
    body_format: BodyFormat = BodyFormat.JSON,
    resolve: Resolve | None = None,
) -> BodyTemplate:
    """The compiled template, with the secrets that ``resolve`` gives in place of references; without it, ``***``.

    Raises:
        TemplateError: The first error of :func:`check_body` in the text, except errors about paths.
    """
    plain = split_plain(text) if body_format is BodyFormat.JSON else None
    if plain is not None:
        has_secrets = resolve is not None and may_have_reference(text)
        return BodyTemplate(compile_plain(plain, resolve), has_secrets=has_secrets)
    reading, layout = _read(text, body_format)
    problems = [*reading.problems, *layout.problems, *check_usage(reading.nodes, filters)]
    errors = [problem for problem in problems if problem.is_error]
    if errors:
        raise min(errors, key=lambda problem: problem.start).to_error()
    return format_of(body_format).compile(reading.nodes, layout.positions, text, filters, resolve)


def describe_body(text: str, body_format: BodyFormat = BodyFormat.JSON) -> list[Decision]:
    """How the template writes each output, in the order of the text. Raises TemplateError for a syntax error."""
    nodes = parse(text)
    layout = format_of(body_format).lay_out(nodes, text)
    return [*_decisions(nodes, text, layout.positions.__getitem__)]


def describe_field(text: str) -> list[Decision]:
    """How a form field writes each expression. Raises TemplateError for a syntax error."""
    return [*_decisions(parse_line(text), text, lambda _: Position("field", 0))]


def _decisions(nodes: Sequence[Node], text: str, position: Callable[[int], Position]) -> Iterator[Decision]:
    for part in walk(*nodes):
        if isinstance(part, Output) and not reference_of(part.expression):
            expression = text[part.expression.start : part.expression.end]
            yield Decision(part.start, part.end, expression, position(part.start))


@lru_cache(maxsize=16)  # cached, because the checked template is usually compiled next
def _read(text: str, body_format: BodyFormat) -> tuple[Reading, Layout]:
    """What can be read of a template, and its layout as far as that can be proved."""
    reading = read(text)
    if reading.is_partial:
        return reading, Layout()
    form = format_of(body_format)
    has_references = may_have_reference(text)
    if has_references:
        reading = replace(reading, nodes=form.split(reading.nodes))
    try:
        layout = form.lay_out(reading.nodes, text)
    except TemplateError as error:
        return reading, Layout(problems=[about_reference(Problem.from_error(error), text)])
    if has_references:
        found = [about_reference(problem, text) for problem in layout.problems]
        layout.problems[:] = [*found, *reference_problems(reading.nodes, layout.positions, text)]
    return reading, layout


def _advised(problems: list[Problem], text: str, body_format: BodyFormat) -> list[Problem]:
    if not problems or body_format is not BodyFormat.JSON:
        return problems
    from hookctl.template.formats.likeness import advised  # imported here: only templates with problems need it

    return advised(problems, text)


def _check_plain(text: str, plain: Plain, event_type: EventSchema, certain: set[str]) -> list[Problem]:
    if certain.issuperset(plain.paths):
        return []
    problems: list[Problem] = []
    for name, in_string in dict.fromkeys(zip(plain.paths, plain.in_string, strict=True)):
        keys = name.split(".")
        if is_certain(event_type.schema, keys):
            certain.add(name)
            continue
        path = Path(keys[0], tuple(keys[1:]), 0, len(name))
        position = Position("text", 1) if in_string else Position("value", 0)
        problem = check_path(path, event_scope(EventShape(event_type.schema), {}), position)
        if problem is not None:
            problems += [
                replace(problem, start=start, end=start + problem.end)
                for start in offsets(text, plain, name, in_string)
            ]
    return problems


def _render_mock(
    template: BodyTemplate, event_type: EventSchema, known: Sequence[Problem], length: int
) -> list[Problem]:
    """The problem that only rendering the mock event shows: a filter or comparison does not accept its value."""
    try:
        template.render(event_type.mock)
    except RenderError as error:
        if any(
            problem.rule == TEMPLATE_OPTIONAL_PATH.id and error.start <= problem.start < error.end for problem in known
        ):
            return []  # the warning already covers the missing value
        end = error.end or length
        return [
            TEMPLATE_MOCK_EVENT.problem(error.start, end, event=event_type.name, what=error.message, fix=error.hint)
        ]
    return []
