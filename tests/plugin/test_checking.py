"""``hookctl plugins --check``: what is wrong in what plugins describe, with file and line."""

from __future__ import annotations

import builtins
import functools
import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.errors import HookctlError
from hookctl.plugin.checking import check_plugins
from hookctl.plugin.host import BUILT_IN, load_plugins
from hookctl.plugin.places import place_of_function

RunCli = Callable[..., Any]
Check = Callable[[str], list[tuple[int, str]]]


@pytest.fixture
def check(project: Callable[[Mapping[str, str]], Path], run_cli: RunCli) -> Check:
    """``check(code)`` gives line and message of each problem of a plugin with that code, and compares the outputs."""

    def run(code: str) -> list[tuple[int, str]]:
        digest = sha256(code.encode()).hexdigest()
        root = project({"plugins/acme.py": code, "hookctl.toml": f'[plugins.files]\nacme = "sha256:{digest}"\n'})
        problems = json.loads(run_cli("plugins", "--check", "--format", "json", cwd=root).stdout)["problems"]
        result = run_cli("plugins", "--check", cwd=root)
        assert (result.exit_code, result.stderr) == (1 if problems else 0, "")
        for problem in problems:
            assert f"{problem['path']}:{problem['line']}: {problem['message']}\n" in result.stdout
            assert problem["path"] == "plugins/acme.py"
        assert f"{len(BUILT_IN) + 1} plugins checked, {len(problems) or 'no'} problem" in result.stdout
        return [(problem["line"], problem["message"]) for problem in problems]

    return run


def message_of(schema: Any) -> str:
    """What jsonschema reports."""
    with pytest.raises(jsonschema.SchemaError) as wrong:
        jsonschema.Draft202012Validator.check_schema(schema)
    return wrong.value.message


HEAD = "from hookctl.plugin import *\n"
AUTH = """@hookimpl
def hookctl_auth_types():
    return [AuthType(name="acme", summary="An auth.", schema={}, build=print)]
"""


def test_everything_that_is_built_in_is_right(run_cli: RunCli, tmp_path: Path) -> None:
    result = run_cli("plugins", "--check", cwd=tmp_path)
    assert (result.exit_code, result.stdout) == (0, f"{len(BUILT_IN)} plugins checked, no problems found.\n")


def test_a_wrong_schema_has_the_message_of_jsonschema_and_its_own_line(check: Check) -> None:
    code = HEAD + "\nSETTINGS = {\n    'type': 'object',\n    'required': 'key',\n}\n" + AUTH
    code = code.replace("schema={}", "schema=SETTINGS").replace("'required': 'key'", "'minProperties': 'key'")
    message = message_of({"minProperties": "key"})
    assert check(code) == [(5, f"plugin acme: AuthType acme: schema['minProperties']: {message}")]


def test_a_schema_in_parts_is_followed_as_far_as_possible(check: Check) -> None:
    code = (
        HEAD
        + 'KEY = {\n    "type": 3,\n    "description": "x"}\n'
        + 'COMMON = {"properties": {"key": KEY}}\nNAME: str = "acme"\n'
        + AUTH.replace("schema={}", 'schema={**COMMON, "type": "object"}').replace('name="acme"', "name=NAME")
    )
    assert check(code) == [
        (3, f"plugin acme: AuthType acme: schema['properties']['key']['type']: {message_of({'type': 3})}")
    ]


def test_a_schema_that_extends_itself_is_followed_to_its_first_value(check: Check) -> None:
    code = HEAD + 'SCHEMA = {\n    "type": 3}\nSCHEMA = {**SCHEMA, "title": "x"}\n' + AUTH
    assert check(code.replace("schema={}", "schema=SCHEMA"))[0][0] == 3


def test_schemas_that_are_made_from_each_other_are_not_followed_forever(check: Check) -> None:
    code = HEAD + 'A = {"type": 3}\nB = {**A}\nA = {**B}\n' + AUTH.replace("schema={}", "schema=A")
    ((line, message),) = check(code)
    assert (line, message) == (4, f"plugin acme: AuthType acme: schema['type']: {message_of({'type': 3})}")


def test_a_schema_that_is_computed_has_the_line_of_its_description(check: Check) -> None:
    code = HEAD + "\n\n" + AUTH.replace("schema={}", "schema=dict(minimum='x')")
    assert check(code)[0][0] == 6
    assert check(code.replace('"acme"', "'ac' + 'me'"))[0][0] == 4  # the hook


@pytest.mark.parametrize("pattern", ["[", "(?<x"])
def test_a_pattern_that_is_not_valid_is_found(check: Check, pattern: str) -> None:
    schema = f'schema={{"properties": {{"a": {{"pattern": {pattern!r}, "description": "x"}}}}}}'
    ((line, message),) = check(HEAD + AUTH.replace("schema={}", schema))
    assert (line, message.endswith(f"{pattern!r} is not a 'regex'")) == (4, True)


def test_a_property_without_a_description_and_an_empty_summary_are_found(check: Check) -> None:
    schema = (
        'schema={"properties": {"a": {"type": "array",\n    "items": {"properties": {"b": {}}}, "description": "x"}}}'
    )
    code = HEAD + AUTH.replace("schema={}", schema).replace("An auth.", " ")
    where = "schema['properties']['a']['items']['properties']['b']"
    assert check(code) == [
        (4, "plugin acme: AuthType acme: summary: it is empty"),
        (5, f"plugin acme: AuthType acme: {where}: a property without a description"),
    ]


def test_a_mock_event_that_is_not_valid_is_found(check: Check) -> None:
    code = HEAD + (
        'MOCK = {\n    "id": 3}\n@hookimpl\ndef hookctl_event_types():\n'
        '    schema = {"properties": {"id": {"type": "string", "description": "x"}}}\n'
        '    return [EventType(name="ev", summary="x", schema=schema, mock=MOCK)]\n'
    )
    assert check(code) == [(3, "plugin acme: EventType ev: mock['id']: 3 is not of type 'string'")]


def test_what_cannot_be_loaded_has_the_line_of_its_hook(check: Check) -> None:
    code = HEAD + AUTH + "@hookimpl\ndef hookctl_policies():\n    raise ValueError('no licence')\n"
    assert check(code) == [(5, "plugin acme: hookctl_policies raised ValueError: no licence")]
    assert check(HEAD + AUTH.replace("schema={}", "schema={1}"))[0] == (
        2,
        "plugin acme: hookctl_auth_types returned a set, not JSON",
    )


def test_a_command_needs_help(check: Check) -> None:
    code = HEAD + "import click\n@hookimpl\ndef hookctl_commands():\n    return [click.Command(name='hello')]\n"
    assert check(code) == [(5, "plugin acme: Command hello: help: a command without help")]


def test_a_file_that_is_not_enabled_is_not_checked(
    project: Callable[[Mapping[str, str]], Path], run_cli: RunCli
) -> None:
    root = project({"plugins/acme.py": "raise SystemExit"})
    assert run_cli("plugins", "--check", cwd=root).exit_code == 0
    result = run_cli("plugins", cwd=root)
    disabled = result.stdout.partition("Not loaded: disabled\n")[2]
    assert disabled.startswith("  plugins/acme.py is not loaded: hookctl.toml does not enable it\n")
    assert json.loads(run_cli("plugins", "--format", "json", cwd=root).stdout)["failures"][0]["kind"] == "disabled"


def test_an_observer_without_settings_needs_no_schema(
    project: Callable[[Mapping[str, str]], Path], run_cli: RunCli
) -> None:
    code = f"""{HEAD}@hookimpl
def hookctl_observers():
    return [Observer(name="acme", ended=print)]
"""
    settings = f'[plugins.files]\nacme = "sha256:{sha256(code.encode()).hexdigest()}"\n'
    result = run_cli("plugins", "--check", cwd=project({"plugins/acme.py": code, "hookctl.toml": settings}))
    assert (result.exit_code, result.stdout) == (0, f"{len(BUILT_IN) + 1} plugins checked, no problems found.\n")


def test_without_jsonschema_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def importing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "jsonschema":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(HookctlError, match="needs the library jsonschema") as missing:
        check_plugins(load_plugins())
    assert "hookctl[testing]" in missing.value.hint


def test_a_function_that_is_not_written_in_python_has_no_place() -> None:
    assert place_of_function(print) is None
    place = place_of_function(functools.partial(message_of, {}))
    assert place is not None
    assert place.file == __file__
