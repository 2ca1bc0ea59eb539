"""Rules of this project that no linter checks. Ruff checks docstrings, mypy types, and import-linter imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "engine" / "hookctl"
PLUGINS = ROOT / "plugins" / "hookctl_plugins"
CACHE = re.compile(r"__pycache__$|\.")
"""The names of directories with files that tools have written, such as those of ruff in each example."""
MODULES = sorted([*ENGINE.rglob("*.py"), *PLUGINS.rglob("*.py")])

MAX_MODULE = 350
MAX_FUNCTION = 60
SPEAKS = (
    *(ENGINE / "cli", ENGINE / "report", ENGINE / "__main__.py"),
    *(ENGINE / "testing" / "events.py", ENGINE / "kit" / "project.py"),
)
"""What may print, read the environment and exit. ``python -m hookctl.testing.events`` is a program of its own, and the
kit's project runs commands with streams and variables of a test."""
READS_ENVIRONMENT = (
    *SPEAKS,
    PLUGINS / "secret",
    PLUGINS / "observer" / "otel_environment.py",
    PLUGINS / "transport" / "key_log.py",
)
"""The ``env`` secret source is there to read the environment, and ``OTEL_*`` are the settings of OpenTelemetry.

The last one only takes a variable out of it.
"""
MUTABLE = {
    "list",
    "dict",
    "set",
    "bytearray",
    "deque",
    "defaultdict",
    "Counter",
    "OrderedDict",
    "Lock",
    "RLock",
    "local",
    "ContextVar",
}
MUTATORS = {
    "append",
    "extend",
    "insert",
    "add",
    "update",
    "setdefault",
    "pop",
    "popitem",
    "remove",
    "discard",
    "clear",
    "sort",
}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(node: ast.expr) -> str:
    """``a.b.c`` for the expression that it is; empty for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return ""


def under(path: Path, places: tuple[Path, ...]) -> bool:
    return any(path == place or place in path.parents for place in places)


def spoken(tree: ast.Module) -> Iterator[str]:
    """Everything in a module that prints, reads from the user, or ends the process."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) in {
            "print",
            "input",
            "exit",
            "quit",
            "sys.exit",
            "os._exit",
            "click.echo",
        }:
            yield f"{node.lineno}: {name_of(node.func)}()"
        if isinstance(node, ast.Attribute) and name_of(node) in {"sys.stdout", "sys.stderr", "sys.stdin", "sys.argv"}:
            yield f"{node.lineno}: {name_of(node)}"
        if (
            isinstance(node, ast.Raise)
            and node.exc is not None
            and name_of(getattr(node.exc, "func", node.exc)) == "SystemExit"
        ):
            yield f"{node.lineno}: SystemExit"


def environment_reads(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and name_of(node) in {"os.environ", "os.getenv", "os.environb"}:
            yield f"{node.lineno}: {name_of(node)}"
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {alias.name for alias in node.names} & {"environ", "getenv"}
        ):
            yield f"{node.lineno}: from os import environ"


def module_names(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Each name that a module binds by assignment at its top, with what it is bound to."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if (
                isinstance(target, ast.Name)
                and isinstance(node, (ast.Assign, ast.AnnAssign))
                and node.value is not None
            ):
                yield target.id, node.value


def mutable_state(tree: ast.Module) -> Iterator[str]:
    """Module-level state: mutable things that are not constants, constants that are changed, and ``global``."""
    constants = set()
    for name, value in module_names(tree):
        mutable = isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)) or (
            isinstance(value, ast.Call) and name_of(value.func).rpartition(".")[2] in MUTABLE
        )
        if mutable and (name.isupper() or name == "__all__") and not isinstance(value, ast.Call):
            constants.add(name)
        elif mutable:
            yield f"{value.lineno}: {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"{node.lineno}: global {', '.join(node.names)}"
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, (ast.Store, ast.Del))
            and name_of(node.value) in constants
        ):
            yield f"{node.lineno}: {name_of(node.value)}[...] is changed"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in MUTATORS
            and name_of(node.func.value) in constants
        ):
            yield f"{node.lineno}: {name_of(node.func)}()"


def dropped_exceptions(path: Path) -> Iterator[str]:
    """``except ...: pass`` with no comment that says why."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
            stretch = lines[node.lineno - 1 : node.body[0].lineno]
            if not any("#" in line for line in stretch):
                yield f"{node.lineno}"


def complaints(path: Path, found: Iterator[str]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{what}" for what in found]


@pytest.mark.parametrize(
    ("code", "check"),
    [
        ("print('x')", spoken),
        ("import sys\nsys.exit(1)", spoken),
        ("raise SystemExit(1)", spoken),
        ("import os\nx = os.environ['A']", environment_reads),
        ("from os import environ", environment_reads),
        ("cache = {}", mutable_state),
        ("seen: set[str] = set()", mutable_state),
        ("import threading\nLOCK = threading.Lock()", mutable_state),
        ("def f():\n    global x\n    x = 1", mutable_state),
        ("CACHE = {}\ndef f():\n    CACHE['a'] = 1", mutable_state),
        ("NAMES = []\ndef f():\n    NAMES.append('a')", mutable_state),
    ],
)
def test_the_rules_catch_what_they_are_for(code: str, check: object) -> None:
    assert callable(check)
    assert list(check(ast.parse(code)))


def test_nothing_below_the_command_line_speaks_or_exits() -> None:
    assert [line for path in MODULES if not under(path, SPEAKS) for line in complaints(path, spoken(parse(path)))] == []


def test_nothing_below_the_command_line_reads_the_environment() -> None:
    assert [
        line
        for path in MODULES
        if not under(path, READS_ENVIRONMENT)
        for line in complaints(path, environment_reads(parse(path)))
    ] == []


def test_no_module_level_mutable_state() -> None:
    assert [line for path in MODULES for line in complaints(path, mutable_state(parse(path)))] == []


def test_modules_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {path: length for path, length in lengths.items() if length > MAX_MODULE} == {}


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1}"
        for path in MODULES
        for node in ast.walk(parse(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MAX_FUNCTION
    ]
    assert long == []


def test_every_dropped_exception_says_why() -> None:
    assert [line for path in MODULES for line in complaints(path, dropped_exceptions(path))] == []


def test_no_module_is_named_after_nothing() -> None:
    assert [str(path) for path in MODULES if re.fullmatch(r"(utils?|helpers?|common|misc)", path.stem)] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    # Written in halves, so that this file does not hold what it looks for.
    words = ["/wo" + "rk/", "/tm" + "p/", "/ro" + "ot/", "pypi" + ".org", "python" + "hosted", "index" + "-url"]
    forbidden = re.compile("|".join(map(re.escape, words)))
    places = ["engine", "plugins", "schemas", "webhooks.d", "tests", "benchmarks", "docs", "examples", ".ci"]
    files = [
        path
        for place in places
        for path in (ROOT / place).rglob("*")
        if path.is_file() and not any(CACHE.match(part) for part in path.relative_to(ROOT / place).parts[:-1])
    ]
    files += [
        path for path in ROOT.iterdir() if path.suffix in {".md", ".toml"} or path.name in {"Makefile", ".gitignore"}
    ]
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if forbidden.search(line)
    ]
    assert named == []
