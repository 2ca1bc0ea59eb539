"""What hookctl relies on in Jinja's parser beyond its documentation, and that plain templates do without Jinja."""

from __future__ import annotations

import subprocess
import sys

import jinja2
import pytest
from jinja2 import nodes
from jinja2.lexer import Token, TokenStream, operators
from jinja2.parser import Parser

from hookctl.template.language.expression_conversion import ExpressionConverter
from hookctl.template.language.jinja_operators import OPERATORS
from hookctl.template.language.token_table import Tokens
from hookctl.template.language.tokens import tokenize


def parse(text: str) -> tuple[nodes.Node, Tokens]:
    """The first node of a template, as the program has it parsed, and its tokens."""
    tokens = tokenize(text)
    parser = Parser(jinja2.Environment(), "")  # noqa: S701 - nothing is rendered
    parser.stream = TokenStream(tokens.stream, None, None)
    return parser.subparse()[0], tokens


def expression(text: str) -> tuple[nodes.Node, Tokens]:
    output, tokens = parse("{{ " + text + " }}")
    assert isinstance(output, nodes.Output)
    return output.nodes[0], tokens


def test_a_token_has_the_fields_that_are_filled_in() -> None:
    assert Token._fields == ("lineno", "type", "value")
    assert Token(7, "name", "if").test("name:if")


def test_the_table_of_operators_has_the_types_that_the_parser_asks_for() -> None:
    types = {
        "+": "add",
        "-": "sub",
        "~": "tilde",
        "|": "pipe",
        ".": "dot",
        "(": "lparen",
        "=": "assign",
        "//": "floordiv",
    }
    assert types.items() <= operators.items()
    assert OPERATORS.keys() == {"eq", "ne", "lt", "lteq", "gt", "gteq", "in", "notin"}


@pytest.mark.parametrize(
    ("text", "of_node"),
    [
        ("data.a | lower", "lower"),
        ("data.a == 1", "}}"),
        ("data.a + 1", "data.a"),
        ("- data.a", "-"),
        ("not data.a", "not"),
        ("data.a is defined", "is"),
        ("[data.a]", "["),
        ("{'a': data.a}", "{"),
        ("data.a ~ data.b", "data.a"),
        ("data.a[0]", "["),
        ("data.a if data.b else 1", "data.a"),
        ("data.f(1)", "("),
    ],
)
def test_a_node_has_the_number_of_a_token_that_its_offsets_come_from(text: str, of_node: str) -> None:
    """All offsets come from these numbers, so one that the parser takes from another token would misplace a finding.

    A comparison has the number of what follows it: only its expression or tag is found by that.
    """
    node, tokens = expression(text)
    found = tokens.text[tokens.starts[node.lineno] : tokens.ends[node.lineno]]
    assert found == of_node


def test_an_error_has_the_number_of_its_token_as_its_line() -> None:
    with pytest.raises(jinja2.TemplateSyntaxError) as caught:
        expression("data.a | ")
    tokens = tokenize("{{ data.a |  }}")
    assert tokens.stream[caught.value.lineno].type == "variable_end"


def test_no_constant_is_computed_while_parsing() -> None:
    node, _ = expression("2 * 3 ~ 'a' 'b'")
    assert isinstance(node, nodes.Concat)
    assert isinstance(node.nodes[0], nodes.Mul)


@pytest.mark.parametrize("name", [name for name in vars(nodes) if name.isidentifier()])
def test_a_node_that_jinja_adds_is_refused_until_it_is_allowed(name: str) -> None:
    """Every expression of Jinja is in the table of what is converted, or in this list of what is not."""
    kind = getattr(nodes, name)
    if not isinstance(kind, type) or not issubclass(kind, nodes.Expr) or kind.abstract or kind.__subclasses__():
        return
    allowed = ExpressionConverter(tokenize("{{ data.a | lower }}")).allowed
    refused = {
        *("Pow", "Slice", "Operand", "TemplateData", "EnvironmentAttribute", "ExtensionAttribute", "ImportedName"),
        *("InternalName", "MarkSafe", "MarkSafeIfAutoescape", "ContextReference", "DerivedContextReference", "NSRef"),
    }
    assert (kind in allowed) is not (name in refused)


LOADED = """
import sys
from hookctl.template import compile_body
compile_body({text!r}, {{}}).render({event!r})
print('jinja2' in sys.modules)
"""


@pytest.mark.parametrize(
    ("text", "loads"),
    [
        ('{"a": "{{ data.a }}", "b": {{ data.b }}, "{{ id }}": [1]}', "False"),
        ('"\\\\{{ data.a }}"', "False"),
        ('{"a": {{ data.a | lower }}}', "True"),
        ('{"a": 1{# a comment #}}', "True"),
    ],
)
def test_jinja_is_imported_only_for_a_template_with_more_than_text_and_paths(text: str, loads: str) -> None:
    code = LOADED.format(text=text, event={"id": "1", "data": {"a": "x", "b": 1}})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loads
