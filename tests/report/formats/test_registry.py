"""The registry of formats says what each format's module says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hookctl.report.formats.registry import EVERY_KIND, FORMATS, built_in


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_registered_with_its_name_and_its_kinds(name: str) -> None:
    made = built_in(name)
    assert made.name == name
    assert {kind for kind in EVERY_KIND if getattr(made, kind)} == set(FORMATS[name][1])
    assert made.summary.endswith(".")


def test_only_github_consists_of_commands() -> None:
    assert [name for name in FORMATS if built_in(name).has_ci_commands] == ["github"]


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "test"])
def test_help_imports_neither_formats_nor_plugins(command: str) -> None:
    code = (
        "import sys; from hookctl.cli import formats, main\n"
        "formats.any_third_party = main.any_third_party = lambda: False\n"
        f"main.hookctl.main(['{command}', '--help'], standalone_mode=False)\n"
        "loaded = [name for name in sys.modules if name.startswith(('hookctl.plugin', 'hookctl.report.formats.'))]\n"
        "assert loaded == ['hookctl.report.formats.registry'], loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "|gitlab" in done.stdout
