"""The pytest plugin, as pytest loads it: for the tests of docs/plugins.md, and for tests that do not know hookctl."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
CODE = re.compile(r"(?<=^```python\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
PLUGIN = dict(re.findall(r"^```python\n# src/([\w/]+\.py)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
"""The files of the plugin that the tutorial writes."""
TESTS = CODE.findall(PAGE.partition("\n## Testing a plugin\n")[2])
UNRELATED = """
import sys

LOADED = sorted(name for name in sys.modules if name.partition(".")[0] in {"hookctl", "hookctl_plugins"})

def test_nothing_of_hookctl_is_imported_but_its_pytest_plugin():
    assert LOADED == ["hookctl", "hookctl._version", "hookctl.kit", "hookctl.kit.pytest_plugin"]

def test_none_of_its_fixtures_is_in_use(request):
    assert not [name for name in request.fixturenames if "hookctl" in name or "receiver" in name]
"""
COMMANDS = """
import sys
from hookctl.cli.main import hookctl

for line in ("plugins", "plugins new acme --kind auth", "init", "plan", "doctor", "--help"):
    try:
        hookctl.main(line.split(), standalone_mode=False)
    except SystemExit:
        pass
    print("loaded:", sorted({"pytest", "_pytest", "vcr", "jsonschema", "hookctl.kit"} & sys.modules.keys()))
"""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_tests_of_the_page_pass_and_others_do_not_notice(tmp_path: Path) -> None:
    (tmp_path / "hookctl_wsse").mkdir()
    for name, code in PLUGIN.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    matches = [re.match(r"# tests/(test_\w+\.py)\n", code) for code in TESTS]
    for match, code in zip(matches, TESTS, strict=True):
        assert match, f"a block does not name its file: {code[:60]}"
        (tmp_path / match[1]).write_text(code, encoding="utf-8")
    (tmp_path / "test_a_first.py").write_text(UNRELATED, encoding="utf-8")
    order = ["test_a_first.py", *(str(match[1]) for match in matches if match)]
    ran = run("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *order, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^\d+ passed in", ran.stdout, re.MULTILINE), ran.stdout


def test_no_command_imports_pytest_vcrpy_jsonschema_or_the_kit(tmp_path: Path) -> None:
    ran = run("-c", COMMANDS, cwd=tmp_path)
    assert ran.stderr == ""
    assert re.findall(r"^loaded: (.*)$", ran.stdout, re.MULTILINE) == ["[]"] * 6


@pytest.mark.parametrize("name", ["hookctl_project", "hookctl_receiver"])
def test_each_fixture_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE
