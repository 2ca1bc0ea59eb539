"""docs/plugin-reference.md: its generated parts, which are the docstrings of hooks and classes, and what is stable.

A generated part is between ``<!-- reference: HOOK -->`` and ``<!-- end -->``. ``make docs`` writes it again.
"""

from __future__ import annotations

import ast
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import hookctl
from hookctl import kit, plugin, testing
from hookctl.plugin import hookspecs

PAGE = Path(__file__).parents[2] / "docs" / "plugin-reference.md"
PART = re.compile(r"(?<=^<!-- reference: )(\w+)( -->\n)(.*?)(?=^<!-- end -->$)", re.DOTALL | re.MULTILINE)
WIDTH = 120
CLASSES: Mapping[str, Sequence[type]] = {
    "hookctl_auth_types": (plugin.AuthType, plugin.AuthContext, plugin.Refreshable),
    "hookctl_transport_types": (plugin.TransportType, plugin.ConcurrentTransport, plugin.Completion),
    "hookctl_validator_types": (plugin.ValidatorType, plugin.Envelope),
    "hookctl_secret_sources": (plugin.SecretSource,),
    "hookctl_event_types": (plugin.EventType,),
    "hookctl_filter_types": (plugin.FilterType,),
    "hookctl_policies": (plugin.Policy, plugin.Finding),
    "hookctl_observers": (plugin.Observer,),
    "hookctl_format_types": (plugin.ReportFormat, plugin.FindingsReport, plugin.ReviewReport, plugin.ResultsReport),
    "hookctl_store_types": (plugin.StoreType, plugin.EngineCheck),
    "hookctl_commands": (),
}
"""The classes that the section of each hook describes. The first is what the hook returns."""
SHARED = frozenset({"name", "summary", "schema"})
"""Fields that mean the same in every description, which the page explains once."""
STATUSES = ("stable", "provisional")


def markdown(text: str) -> str:
    """The text of a docstring, in one line."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", " ".join(text.split()))
    return text.replace("``", "`")


def cell(text: str) -> str:
    return markdown(text).replace("|", "\\|")


def members(cls: type) -> Iterator[tuple[str, str, str]]:
    """Each public attribute and method of a class: what a plugin writes, its type, and its docstring."""
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith("hookctl."):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
            if isinstance(node, ast.AnnAssign):
                is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
                said = str(following.value.value) if is_text else ""  # type: ignore[union-attr]
                plain = isinstance(node.value, ast.Constant | ast.Attribute | ast.Tuple)
                default = f"; default `{ast.unparse(node.value)}`" if plain and node.value else ""
                yield ast.unparse(node.target), f"`{ast.unparse(node.annotation)}`{default}", said
            elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                given = ", ".join(one.arg for one in node.args.args[1:])
                shown = node.name if node.decorator_list else f"{node.name}({given})"
                yield shown, f"`{ast.unparse(node.returns)}`" if node.returns else "", ast.get_docstring(node) or ""


def table(cls: type) -> str:
    """What a class is, and a row for each attribute that has a meaning of its own."""
    rows = [
        f"| `{name}` | {cell(kind)} | {cell(said)} |" for name, kind, said in members(cls) if said or name not in SHARED
    ]
    head = textwrap.fill(f"**`{cls.__name__}`**: {markdown(inspect.getdoc(cls) or '')}", WIDTH)
    return "\n".join([head, "", "| attribute | type | meaning |", "| --- | --- | --- |", *rows, ""])


def formatted(code: str) -> str:
    """An example as `ruff format` leaves it, which formats the code on pages, too. A docstring saves empty lines."""
    command = [sys.executable, "-m", "ruff", "format", f"--line-length={WIDTH}", "-"]
    return subprocess.run(command, input=code, capture_output=True, text=True, check=True).stdout


def section(hook: str) -> str:
    """The docstring of a hook, with its example, and its classes."""
    text = inspect.getdoc(getattr(hookspecs, hook)) or ""
    said, _, example = text.partition("\n\nExample::\n\n")
    paragraphs = [textwrap.fill(markdown(one), WIDTH) for one in said.split("\n\n")]
    code = f"```python\n{formatted(textwrap.dedent(example))}```"
    return "\n" + "\n\n".join([*paragraphs, code, *(table(cls).rstrip() for cls in CLASSES[hook])]) + "\n\n"


def test_generated_parts_are_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    fresh = PART.sub(lambda part: part[1] + part[2] + section(part[1]), text)
    if "UPDATE_DOCS" in os.environ:
        PAGE.write_text(fresh, encoding="utf-8")
    else:
        assert text == fresh, "run `make docs`"


def test_every_hook_has_a_generated_part() -> None:
    found = [part[1] for part in PART.finditer(PAGE.read_text(encoding="utf-8"))]
    assert found == [name for name in vars(hookspecs) if name.startswith("hookctl_")]
    assert sorted(found) == sorted(CLASSES)


def test_every_class_for_plugins_is_described() -> None:
    described = {cls.__name__ for classes in CLASSES.values() for cls in classes}
    classes = {name for name in plugin.__all__ if inspect.isclass(getattr(plugin, name))}
    assert classes - described == {"ClientCertificate", "Severity"}  # the text describes them


@pytest.mark.parametrize("cls", [cls for classes in CLASSES.values() for cls in classes])
def test_every_attribute_has_a_docstring(cls: type) -> None:
    plain = {*SHARED, "result", "status", "severity"}
    assert [name for name, _, said in members(cls) if not said and name not in plain] == []


# -- what is stable ----------------------------------------------------------------------------------------------------


def promised() -> Mapping[str, tuple[str, str]]:
    """The rows of the table: each name, and each module that is not for plugins, with its version and status."""
    text = PAGE.read_text(encoding="utf-8").partition("\n## What is stable\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \| `([\w.]+)`[^|]* \| ([\d.]+) \| (\w+) \|$", text, re.MULTILINE)
    return {
        f"{module}.{name}": (since, status)
        for names, module, since, status in rows
        for name in re.findall(r"`([\w.]+)`", names)
    }


def internal() -> set[str]:
    """The modules and functions that the page says are not for plugins."""
    text = PAGE.read_text(encoding="utf-8")
    sentence = re.search(r"^These are not for plugins: (.*?)\.$", text, re.DOTALL | re.MULTILINE)
    assert sentence
    return set(re.findall(r"`([\w.]+)`", sentence[1]))


def public_names(package: ModuleType) -> Iterator[str]:
    """Every name without an underscore that a module of a package defines, with its module."""
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = import_module(info.name)
        if info.ispkg:
            yield from (f"{info.name}.{name}" for name in module.__all__)
            continue
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{info.name}.{node.name}"


def test_every_name_for_plugins_is_in_the_table() -> None:
    rows = promised()
    names = {f"hookctl.plugin.{name}" for name in plugin.__all__} | {f"hookctl.plugin.{hook}" for hook in CLASSES}
    names |= {name for package in (testing, kit) for name in public_names(package)}
    apart = internal()
    missing = {name for name in names - rows.keys() - apart if name.rpartition(".")[0] not in apart}
    assert sorted(missing) == []


def test_every_name_in_the_table_exists() -> None:
    for name in promised():
        module, _, attribute = name.rpartition(".")
        found = getattr(hookspecs if attribute in CLASSES else import_module(module), attribute)
        assert found is not None
    for name in internal():
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute) or import_module(name)


def test_versions_and_statuses_are_possible() -> None:
    released = tuple(map(int, hookctl.__version__.split(".")[:2]))
    for name, (since, status) in promised().items():
        assert tuple(map(int, since.split("."))) <= released, name
        assert status in STATUSES, name
