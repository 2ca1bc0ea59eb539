"""The catalog of rules: complete, and true, since its examples are executed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

from hookctl.config.check.catalog import RULES
from hookctl.model import Finding
from hookctl.model.rules.rule import Rule

ROOT = Path(__file__).parents[3]
BASE = {"name": "SiemAnomalies", "event": "anomaly", "url": "https://siem.example.com/ingest"}
KEY = re.compile(r"^([a-z_]+):", re.MULTILINE)
NOT_SHOWN = {
    "directory-missing": "tests/config/load/test_files.py",
    "directory-empty": "tests/config/load/test_files.py",
    "file-unreadable": "tests/config/load/test_files.py",
    "file-outside": "tests/config/load/test_files.py",
    "directory-too-large": "tests/config/load/test_files.py",
    "file-not-text": "tests/config/load/test_files.py",
    "file-too-large": "tests/config/load/test_files.py",
    "yaml-byte-order": "tests/config/load/test_files.py",
    "yaml-line-break": "tests/config/load/test_documents.py",
    "more-findings": "tests/config/directory/test_many_findings.py",
    "plugin-failed": "tests/config/check/test_plugins.py",
    "policy": "tests/plugins/policy/test_asking.py",
    "protected": "tests/cli/test_safety.py",
    "removals": "tests/cli/test_safety.py",
    "drift": "tests/cli/test_drift.py",
    "held": "tests/cli/test_drift.py",
    "against": "tests/cli/commands/test_plan_against.py",
    "test-failed": "tests/cli/test_formats.py",
}
"""Rules without a bad example, and the tests that prove them instead."""
MADE = {"problem", "error", "finding", "add"}
"""Methods that take a rule's variant and the fields of its texts: those of a rule, and ``Notes.add``."""
NO_FIELDS = {"file", "span", "webhook", "suggestions", "part", "at_key"}


def whole(example: str) -> str:
    """A webhook of which the example's lines are a part; the example itself where it stands for a whole file."""
    if "---" in example or example.startswith(("- ", "#")):
        return example
    written = set(KEY.findall(example))
    return "".join(f"{key}: {value}\n" for key, value in BASE.items() if key not in written) + example + "\n"


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.bad], ids=lambda rule: rule.id)
def test_the_bad_example_breaks_the_rule_and_no_other(rule: Rule, check: Callable[..., list[Finding]]) -> None:
    assert {finding.rule for finding in check(whole(rule.bad))} == {rule.id}


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.good], ids=lambda rule: rule.id)
def test_the_good_example_breaks_no_rule(rule: Rule, check: Callable[..., list[Finding]]) -> None:
    assert check(whole(rule.good)) == []


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.bad], ids=lambda rule: rule.id)
def test_a_message_changes_with_an_edit_above_only_if_the_rule_says_so(
    rule: Rule, check: Callable[..., list[Finding]]
) -> None:
    before, after = ([finding.message for finding in check(edit + whole(rule.bad))] for edit in ("", "# Ours.\n\n"))
    assert (before != after) == rule.names_position


def test_every_rule_has_a_bad_example_or_another_proof() -> None:
    assert {rule.id for rule in RULES.values() if not rule.bad} == set(NOT_SHOWN)
    for rule, proof in NOT_SHOWN.items():
        assert re.search(rf"[\"\[=]{rule}[\"\]:]", (ROOT / proof).read_text(encoding="utf-8")), (
            f"{proof} does not prove {rule}"
        )


def test_every_rule_is_told_whole() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
        assert rule.summary.endswith(".")
        assert rule.explanation.endswith(".")
        assert bool(rule.good) or not rule.bad


@cache
def sources() -> Sequence[tuple[Path, ast.Module]]:
    paths = [path for root in (ROOT / "engine", ROOT / "plugins") for path in root.rglob("*.py")]
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in the source, with where it stands."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def name_of(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@cache
def rule_objects() -> dict[str, Rule]:
    """Every rule by the name of its constant, from every module that makes one."""
    found: dict[str, Rule] = {}
    for path, tree in sources():
        if any(isinstance(node, ast.Call) and name_of(node.func) == "Rule" for node in ast.walk(tree)):
            name = ".".join(path.relative_to(ROOT / "engine").with_suffix("").parts)
            found |= {key: value for key, value in vars(import_module(name)).items() if isinstance(value, Rule)}
    return found


def test_every_rule_in_the_source_is_in_the_catalog() -> None:
    assert sorted(rule.id for rule in rule_objects().values()) == sorted(RULES)
    assert {name.lower().replace("_", "-") for name in rule_objects()} == set(RULES)
    made = sum(name_of(call.func) == "Rule" for _, call in calls())
    assert made == len(RULES), "a rule is not the constant of a module, so the catalog does not hold it"


def test_every_rule_is_reported_by_something() -> None:
    used = {
        name_of(node)
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    assert set(rule_objects()) <= used


def bare_rules(place: str, call: ast.Call) -> Iterator[str]:
    """Where a call names a rule by a string."""
    keywords = [keyword.value for keyword in call.keywords if keyword.arg == "rule"]
    first = call.args[:1] if name_of(call.func) in {"Problem", "Finding", "add", "compile_expression"} else []
    for node in ast.walk(ast.Tuple(elts=[*keywords, *first])):
        if isinstance(node, ast.Constant) and node.value in RULES:
            yield f"{place} {node.value}"


def test_no_finding_and_no_problem_is_made_with_a_bare_string_as_its_rule() -> None:
    assert [bare for place, call in calls() for bare in bare_rules(place, call)] == []
    (example,) = ast.parse('TemplateError("x", rule="a" if x else "when-syntax")').body
    assert isinstance(example, ast.Expr)
    assert isinstance(example.value, ast.Call)
    assert [*bare_rules("here", example.value)] == ["here when-syntax"]


def test_no_id_of_a_rule_is_a_string_in_the_source() -> None:
    wanted = {rule for rule in RULES if "-" in rule}  # any other is a word with other meanings, too
    for path, tree in sources():
        ids = {id(k.value) for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords if k.arg == "id"}
        strings = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in ids}
        assert not strings & wanted, path


def wrong_texts(place: str, call: ast.Call) -> Iterator[str]:
    """What a call that makes something of a rule gets wrong: its variant, or the fields of its texts."""
    if name_of(call.func) not in MADE or not isinstance(call.func, ast.Attribute):
        return
    rule = rule_objects().get(
        name_of(call.args[0]) if call.func.attr == "add" and call.args else name_of(call.func.value)
    )
    if rule is None:
        return
    variant = next((a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)), "")
    if variant and variant not in rule.variants:
        yield f"{place}: {rule.id} has no variant {variant}"
        return
    wanted = {name for text in rule.variants.get(variant, (rule.message, rule.hint)) for name in fields_of(text)}
    given = {keyword.arg for keyword in call.keywords}
    if None not in given and wanted != given - NO_FIELDS:
        yield f"{place}: {rule.id} needs {wanted}, and is given {given - NO_FIELDS}"


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_call_fills_in_the_texts_of_its_rule() -> None:
    checked = [(place, call) for place, call in calls() if name_of(call.func) in MADE]
    assert [wrong for place, call in checked for wrong in wrong_texts(place, call)] == []
    missing, misspelled = ast.parse('URL_SCHEME.problem(0, 1, "other")\nnotes.add(URL_SCHEME, pointer, "othr")').body
    for example in (missing, misspelled):
        assert isinstance(example, ast.Expr)
        assert isinstance(example.value, ast.Call)
        assert [*wrong_texts("here", example.value)]


NEW_RULE = """
from hookctl.model.rules.rule import Rule

NO_FOO = Rule(
    id="no-foo",
    summary="A description holds the word foo.",
    explanation="It is not a word.",
    message="the description holds {word}",
    hint="Remove it.",
    bad="description: a foo",
    good="description: a bar",
)


def check(notes, plugins):
    if "foo" in str(notes.webhook.fields.get("description")):
        notes.add(NO_FOO, ("description",), word="foo")
"""
PROGRAM = """
import sys
from hookctl.config.check import rules
rules.__path__.append(sys.argv[1])
for name in [name for name in sys.modules if name.startswith("hookctl.config") and name != rules.__name__]:
    del sys.modules[name]  # the catalog is made anew
from hookctl.cli.main import main
sys.argv[1:] = sys.argv[2:]
main()
"""


def with_new_rule(tmp_path: Path, *arguments: str, rule: str = NEW_RULE) -> str:
    """What hookctl prints when the package of rules has one file more."""
    (tmp_path / "no_foo.py").write_text(rule, encoding="utf-8")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    return done.stdout + done.stderr


def test_a_file_in_the_package_of_rules_is_all_that_a_new_rule_takes(tmp_path: Path) -> None:
    assert "the word foo" in with_new_rule(tmp_path, "explain")
    assert "    description: a foo" in with_new_rule(tmp_path, "explain", "no-foo")
    (tmp_path / "bad.yaml").write_text(whole("description: a foo"), encoding="utf-8")
    assert "error[no-foo]: the description holds foo" in with_new_rule(tmp_path, "--dir", ".", "validate")
    (tmp_path / "bad.yaml").write_text(whole("description: a bar"), encoding="utf-8")
    assert "no-foo" not in with_new_rule(tmp_path, "--dir", ".", "validate")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (NEW_RULE.replace("no-foo", "url-scheme"), "two rules have the ID 'url-scheme': in {file} and in "),
        (NEW_RULE + NEW_RULE.replace("NO_FOO", "NO_BAR"), "two rules have the ID 'no-foo': in {file} and in {file}"),
        (NEW_RULE + "\n1 / 0\n", "the rule file {file} raised ZeroDivisionError: division by zero"),
        (NEW_RULE.replace("def check", "def look"), "the rule file {file} has no function check"),
    ],
    ids=["an ID of hookctl's own", "one ID twice in a file", "raises", "no check"],
)
def test_a_rule_file_that_cannot_be_used_is_named(tmp_path: Path, rule: str, message: str) -> None:
    printed = with_new_rule(tmp_path, "explain", rule=rule)
    assert f"Error: {message.format(file=tmp_path / 'no_foo.py')}" in " ".join(printed.split())  # it may be wrapped
    assert "Traceback" not in printed
