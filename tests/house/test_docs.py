"""What the documentation must name, that its links and paths exist, and that its lines are short."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from hookctl.cli import exit_codes, settings
from hookctl.cli.command_list import COMMANDS
from hookctl.cli.main import hookctl

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "benchmarks").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)")
PATH = re.compile(r"`((?:engine|plugins|tests|docs|schemas|examples|benchmarks)/[\w./-]+)`")
MAX_COLUMNS = 120
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    broken = []
    for target, anchor in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(f"{target}#{anchor}" if anchor else target)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading\n[a](page.md#a-heading) [b](missing.md) [c](#no-heading) [d](https://example.com)\n",
        encoding="utf-8",
    )
    assert broken_links(page) == ["missing.md", "#no-heading"]


def missing_paths(page: Path) -> list[str]:
    """The files and directories of this repository that a page names but that do not exist; NAME means any name."""
    named = PATH.findall(page.read_text(encoding="utf-8"))
    return [path for path in named if "NAME" not in path and not (ROOT / path).exists()]


def long_lines(page: Path) -> list[str]:
    """The lines of prose that are too long. Tables, blocks and lines that a URL makes long are not meant."""
    lines = FENCED.sub("", page.read_text(encoding="utf-8")).splitlines()
    prose = [line for line in lines if not line.startswith("|")]
    return [line for line in prose if len(re.sub(r"https?://\S+", "", line)) > MAX_COLUMNS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_exist_and_lines_are_short(page: Path) -> None:
    assert missing_paths(page) == []
    assert long_lines(page) == []


def test_a_path_that_is_missing_and_a_long_line_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"`docs/gone.md` `docs/cli.md`\n{'x' * 121}\n| {'x' * 121} |\n", encoding="utf-8")
    assert missing_paths(page) == ["docs/gone.md"]
    assert long_lines(page) == ["x" * 121]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_section(command: str) -> None:
    assert f"\n## hookctl {command}\n" in (DOCS / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in vars(exit_codes) if name.isupper()])
def test_every_exit_code_is_documented(name: str) -> None:
    assert re.search(
        rf"^\| {getattr(exit_codes, name)} \|", (DOCS / "cli.md").read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.mark.parametrize("setting", settings.SETTINGS)
def test_every_setting_is_documented(setting: str) -> None:
    assert f"| `{setting}` |" in (DOCS / "settings.md").read_text(encoding="utf-8")


def test_every_option_of_all_commands_is_documented_with_its_variable() -> None:
    settings = (DOCS / "settings.md").read_text(encoding="utf-8")
    for parameter in hookctl.params:
        if isinstance(parameter, click.Option) and parameter.envvar:
            assert f"`{parameter.opts[0]}`" in settings
            assert f"`{parameter.envvar}`" in settings


def test_what_is_installed_to_run_is_imported_to_run() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    imports = "".join(
        path.read_text(encoding="utf-8") for folder in ("engine", "plugins") for path in (ROOT / folder).rglob("*.py")
    )
    modules = {"pyyaml": "yaml", "tzdata": "zoneinfo"}  # zoneinfo reads the files of tzdata
    names = [re.split(r"[<>=]", line)[0] for line in project["dependencies"]]
    assert [
        name
        for name in names
        if not re.search(rf"^ *(from|import) {modules.get(name, name.replace('-', '_'))}\b", imports, re.MULTILINE)
    ] == []


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        re.split(r"[<>=~!\[; ]", line)[0] for line in [*project["dependencies"], *extras["serve"], *extras["dev"]]
    } - {"hookctl"}  # with its extra
    rows = re.findall(
        r"^\| `([^`]+)` \| ([^|]+) \|", (DOCS / "dependencies.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {name for name, reason in rows if reason.strip()} == wanted


def test_every_package_of_the_engine_is_drawn() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    drawn = re.findall(r"^\| `hookctl\.(\w+)` \|", (DOCS / "architecture.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for layer in layers for name in re.split(" [:|] ", layer)} == set(drawn)
